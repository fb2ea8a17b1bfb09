import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Kvm } from "@nats-io/kv";
import type { ObjectStore } from "@nats-io/obj";
import { Objm } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";

import { BUCKETS } from "./stream-names.ts";

/** The ways into JetStream that the other rooms work with. */
export interface NatsClients {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly objects: ObjectStore;
  /** Opens a bucket anew. Never by direct gets: on a replica those may be stale, and a revoked key would still open. */
  openBucket(name: "registry" | "keys" | "secrets" | "unfinished"): Promise<KV>;
}

/** Clients on a connection whose streams and buckets are there. Throws what the client throws. */
export async function openClients(connection: NatsConnection): Promise<NatsClients> {
  const kvm = new Kvm(connection);
  const [objects, jsm] = await Promise.all([
    new Objm(connection).open(BUCKETS.objects),
    jetstreamManager(connection, { checkAPI: false }),
  ]);
  return {
    js: jetstream(connection),
    jsm,
    objects,
    openBucket: (name) => kvm.open(BUCKETS[name], { allow_direct: false }),
  };
}
