import type { NatsConnection } from "@nats-io/transport-node";

/** What is known of a server that Posthorn started: it syncs before every ack. */
export interface OwnServer {
  /** Its `max_file_store`, in bytes. */
  readonly maxStoreBytes: number;
}

const PREFIX = "posthorn-synced-";

/**
 * The name that our own server goes by.
 *
 * A client may not ask a server for its `sync_interval` or its storage (that takes the system account), but every INFO
 * line carries the server's name: so the configuration that we write says both in it, to each process that connects.
 */
export function ownServerName({ maxStoreBytes }: OwnServer): string {
  return `${PREFIX}${maxStoreBytes}`;
}

/** Our own server at the other end of `connection`; `undefined` when it is somebody else's, of which we know nothing. */
export function ownServerOf(connection: NatsConnection): OwnServer | undefined {
  const name = connection.info?.server_name ?? "";
  return name.startsWith(PREFIX) && /^\d{1,15}$/.test(name.slice(PREFIX.length))
    ? { maxStoreBytes: Number(name.slice(PREFIX.length)) }
    : undefined;
}
