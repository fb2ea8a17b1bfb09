import type { Settings } from "../config/settings.ts";
import { within } from "../lib/within.ts";
import type { NatsClients } from "../nats/clients.ts";
import { openClients } from "../nats/clients.ts";
import type { Nats } from "../nats/connection.ts";
import { connectNats } from "../nats/connection.ts";
import { addEventSubjects, removeEventSubjects } from "../nats/event-subjects.ts";
import { provision } from "../nats/provision.ts";
import { KeyStore } from "../registry/api-keys.ts";
import { Registry } from "../registry/registry.ts";
import { SecretStore } from "../registry/secrets.ts";
import { RegistrySnapshot } from "../registry/snapshot.ts";
import type { Log } from "../telemetry/log.ts";
import { natsSettingsOf } from "./nats-settings.ts";

const DRAIN_MS = 1_000;

/** Everything that lives in NATS, connected, set up and watched: for the daemon and for each command. */
export interface Storage extends NatsClients, AsyncDisposable {
  readonly nats: Nats;
  readonly snapshot: RegistrySnapshot;
  readonly registry: Registry;
  readonly keys: KeyStore;
  readonly secrets: SecretStore;
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
    const clients = await openClients(connection);
    const snapshot = new RegistrySnapshot(() => clients.openBucket("registry"), log);
    const keys = new KeyStore(() => clients.openBucket("keys"), log);
    const secrets = new SecretStore(() => clients.openBucket("secrets"), settings.secretsKey.value, log);
    await Promise.all([snapshot.start(), keys.start(), secrets.start()]);
    const registry = new Registry(snapshot, {
      addSubjects: (names) => addEventSubjects(connection, names),
      removeSubjects: (names) => removeEventSubjects(connection, names),
      revokeKeysOf: (app) => keys.revokeAllOf(app),
      now: Date.now,
    });
    return {
      ...clients,
      nats,
      snapshot,
      registry,
      keys,
      secrets,
      serverSyncsAlways,
      [Symbol.asyncDispose]: async () => {
        snapshot.close();
        keys.close();
        secrets.close();
        await endConnection(connection, log);
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Says good-bye to NATS; one that is away or silent is left without it, because nothing unacknowledged was answered 250. */
async function endConnection(connection: Nats["connection"], log: Log): Promise<void> {
  await within(connection.drain(), DRAIN_MS).catch((error: unknown) =>
    log.debug("NATS was left without a good-bye", { error }),
  );
  if (!connection.isClosed()) await connection.close();
}
