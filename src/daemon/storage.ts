import type { Settings } from "../config/settings.ts";
import { within } from "../lib/within.ts";
import { OperatorError } from "../model/operator-error.ts";
import { isPassing, mayHaveJetStream } from "../nats/ask-again.ts";
import type { NatsClients } from "../nats/clients.ts";
import { openClients } from "../nats/clients.ts";
import type { Nats } from "../nats/connection.ts";
import { connectNats } from "../nats/connection.ts";
import { addEventSubjects, removeEventSubjects } from "../nats/event-subjects.ts";
import { explained } from "../nats/explain.ts";
import { missingStreams } from "../nats/missing-streams.ts";
import { provision } from "../nats/provision.ts";
import { KeyStore } from "../registry/api-keys.ts";
import type { OpenBucket } from "../registry/read-bucket.ts";
import { Registry } from "../registry/registry.ts";
import { SecretStore } from "../registry/secrets.ts";
import { RegistrySnapshot } from "../registry/snapshot.ts";
import type { Log } from "../telemetry/log.ts";
import { natsSettingsOf, streamSettingsOf } from "./nats-settings.ts";

const DRAIN_MS = 1_000;
/** Longer than any election, and than a supervisor waits before it starts the next one. */
const KEEP_TRYING_MS = 75_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4_000;

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

export interface OpenOptions {
  /** The daemon creates the streams and buckets that are missing, and follows the registry; a command reads what is there. */
  readonly by: "daemon" | "command";
  readonly serverSyncsAlways?: boolean | undefined;
}

/**
 * Connects, creates what is missing, if it is the daemon's, and loads the registry. Throws `OperatorError` for what the
 * operator has to mend.
 *
 * While JetStream does not answer, because a cluster elects a leader or lost a server, it is tried again for a minute and more.
 */
export async function openStorage(
  settings: Settings,
  log: Log,
  options: OpenOptions = { by: "daemon" },
): Promise<Storage> {
  const nats = await connectNats(natsSettingsOf(settings), log);
  try {
    return await whilePassing(nats, settings, log, () => openOnce(nats, settings, log, options));
  } catch (error) {
    await nats.connection.close();
    throw explained(error);
  }
}

async function openOnce(nats: Nats, settings: Settings, log: Log, options: OpenOptions): Promise<Storage> {
  const { connection } = nats;
  const isWatched = options.by === "daemon";
  if (isWatched) await provision(connection, streamSettingsOf(settings), log);
  const clients = await openClients(connection, settings.natsDomain.value);
  const open = (name: Parameters<typeof bucketOpener>[1]) => bucketOpener(clients, name);
  const snapshot = new RegistrySnapshot(open("registry"), log, isWatched);
  const keys = new KeyStore(open("keys"), log, isWatched);
  const secrets = new SecretStore(open("secrets"), settings.secretsKey.value, log, isWatched);
  const buckets = [snapshot, keys, secrets];
  try {
    await Promise.all(buckets.map((bucket) => bucket.start()));
  } catch (error) {
    for (const bucket of buckets) bucket.close();
    throw await missingStreams(clients.jsm, error);
  }
  const registry = new Registry(snapshot, {
    addSubjects: (names) => addEventSubjects(clients.jsm, names),
    removeSubjects: (names) => removeEventSubjects(clients.jsm, names),
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
    serverSyncsAlways: options.serverSyncsAlways === true,
    [Symbol.asyncDispose]: async () => {
      for (const bucket of buckets) bucket.close();
      await endConnection(connection, log);
    },
  };
}

/** Tries again while JetStream does not answer, for `KEEP_TRYING_MS`; then, and for every other error, throws what `work` threw. */
async function whilePassing<T>(nats: Nats, settings: Settings, log: Log, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + KEEP_TRYING_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const cause = error instanceof OperatorError ? error.cause : error;
      if (
        !mayHaveJetStream(nats.connection.info, settings.natsDomain.value) ||
        !isPassing(cause) ||
        Date.now() + pauseMs > deadline
      )
        throw error;
      log.warn("JetStream does not answer yet; trying again", { error: cause });
      await new Promise((wake) => setTimeout(wake, pauseMs));
    }
  }
}

/** Opens one of the buckets that are watched. */
export function bucketOpener(
  { openBucket, jsm }: Pick<Storage, "openBucket" | "jsm">,
  name: Parameters<Storage["openBucket"]>[0],
): () => Promise<OpenBucket> {
  return async () => ({ kv: await openBucket(name), jsm });
}

/** Says good-bye to NATS; one that is away or silent is left without it, because nothing unacknowledged was answered 250. */
async function endConnection(connection: Nats["connection"], log: Log): Promise<void> {
  await within(connection.drain(), DRAIN_MS).catch((error: unknown) =>
    log.debug("NATS was left without a good-bye", { error }),
  );
  if (!connection.isClosed()) await connection.close();
}
