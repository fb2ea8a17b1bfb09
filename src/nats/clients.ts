import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Kvm } from "@nats-io/kv";
import type { ObjectStore } from "@nats-io/obj";
import { Objm } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";

import { domainOf } from "./provision.ts";
import { BUCKETS } from "./stream-names.ts";

/** The ways into JetStream that the other rooms work with. */
export interface NatsClients {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly objects: ObjectStore;
  /** Opens a bucket anew. Never by direct gets: on a replica those may be stale, and a revoked key would still open. */
  openBucket(name: "registry" | "keys" | "secrets" | "unfinished"): Promise<KV>;
}

/** Clients on a connection; nothing is asked of the server. Throws what the client throws. */
export async function openClients(connection: NatsConnection, domain: string | undefined): Promise<NatsClients> {
  // Each client gets options of its own: it takes the domain out of those that it is given (3.4.0).
  const options = () => ({ checkAPI: false, ...domainOf({ domain }) });
  const js = () => jetstream(connection, options());
  const kvm = new Kvm(js());
  const [objects, jsm] = await Promise.all([
    // Not looked at: a command that needs no objects works without the bucket.
    new Objm(js()).open(BUCKETS.objects, false),
    jetstreamManager(connection, options()),
  ]);
  return {
    js: js(),
    jsm,
    objects,
    openBucket: (name) => kvm.open(BUCKETS[name], { allow_direct: false }),
  };
}
