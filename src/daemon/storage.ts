import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { ObjectStore } from "@nats-io/obj";
import { Objm } from "@nats-io/obj";

import type { Settings } from "../config/settings.ts";
import type { Nats } from "../nats/connection.ts";
import { connectNats } from "../nats/connection.ts";
import { addEventSubjects, removeEventSubjects } from "../nats/event-subjects.ts";
import { BUCKETS, provision } from "../nats/provision.ts";
import { KeyStore } from "../registry/api-keys.ts";
import { Registry } from "../registry/registry.ts";
import { RegistrySnapshot } from "../registry/snapshot.ts";
import type { Log } from "../telemetry/log.ts";
import { natsSettingsOf } from "./nats-settings.ts";

/** Everything that lives in NATS, connected, set up and watched: for the daemon and for each command. */
export interface Storage extends AsyncDisposable {
  readonly nats: Nats;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly objects: ObjectStore;
  readonly snapshot: RegistrySnapshot;
  readonly registry: Registry;
  readonly keys: KeyStore;
  /** The server is one that we started ourselves, which syncs before every ack; of others nobody tells us. */
  readonly serverSyncsAlways: boolean;
}

/** Connects, creates what is missing, and loads the registry. Throws `OperatorError` for what the operator has to mend. */
export async function openStorage(settings: Settings, log: Log, serverSyncsAlways = false): Promise<Storage> {
  const nats = await connectNats(natsSettingsOf(settings), log);
  const { connection } = nats;
  try {
    const { dedupeWindow: dedupeWindowMs, eventsMaxAge: eventsMaxAgeMs, replicas } = settings;
    await provision(connection, { dedupeWindowMs, eventsMaxAgeMs, replicas }, log);
    const kvm = new Kvm(connection);
    const snapshot = new RegistrySnapshot(() => kvm.open(BUCKETS.registry, { allow_direct: false }), log);
    const keys = new KeyStore(() => kvm.open(BUCKETS.keys, { allow_direct: false }), log);
    const [objects, jsm] = await Promise.all([
      new Objm(connection).open(BUCKETS.objects),
      jetstreamManager(connection, { checkAPI: false }),
      snapshot.start(),
      keys.start(),
    ]);
    const registry = new Registry(snapshot, {
      addSubjects: (names) => addEventSubjects(connection, names),
      removeSubjects: (names) => removeEventSubjects(connection, names),
      now: Date.now,
    });
    return {
      nats,
      js: jetstream(connection),
      jsm,
      objects,
      snapshot,
      registry,
      keys,
      serverSyncsAlways,
      [Symbol.asyncDispose]: async () => {
        snapshot.close();
        keys.close();
        await connection.drain();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
