import type { Settings } from "../config/settings.ts";
import { within } from "../lib/within.ts";
import type { TryLaterCause } from "../model/outcome.ts";
import { OperatorError } from "../model/operator-error.ts";
import { isPassing, mayHaveJetStream } from "../nats/ask-again.ts";
import { causeOfPublish } from "../nats/cause-of.ts";
import type { NatsClients } from "../nats/clients.ts";
import { openClients } from "../nats/clients.ts";
import type { Nats } from "../nats/connection.ts";
import { connectNats } from "../nats/connection.ts";
import { addEventSubjects, removeEventSubjects } from "../nats/event-subjects.ts";
import { explained } from "../nats/explain.ts";
import { missingStreams } from "../nats/missing-streams.ts";
import { provision } from "../nats/provision.ts";
import { BACKING_STREAMS } from "../nats/stream-names.ts";
import { StoreFailures } from "../publish/store-failures.ts";
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
  /** What the server said of our streams when the daemon opened them. */
  readonly streams: Awaited<ReturnType<typeof provision>>;
  /** What could not be stored, noted by whoever tried. */
  readonly failures: StoreFailures;
  /** The server is one that we started ourselves, which syncs before every ack; of others nobody tells us. */
  readonly serverSyncsAlways: boolean;
}

export interface OpenOptions {
  /** The daemon creates the streams and buckets that are missing, and follows the registry; a command reads what is there. */
  readonly by: "daemon" | "command";
  readonly serverSyncsAlways?: boolean | undefined;
  /** How long it is tried again while JetStream does not answer, in milliseconds. */
  readonly keepTryingMs?: number;
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
    return await whilePassing(() => openOnce(nats, settings, log, options), {
      nats,
      log,
      domain: settings.natsDomain.value,
      keepTryingMs: options.keepTryingMs ?? KEEP_TRYING_MS,
    });
  } catch (error) {
    await nats.connection.close();
    throw explained(error);
  }
}

async function openOnce(nats: Nats, settings: Settings, log: Log, options: OpenOptions): Promise<Storage> {
  const { connection } = nats;
  const isWatched = options.by === "daemon";
  const streams = isWatched ? await provision(connection, streamSettingsOf(settings), log) : [];
  const clients = await openClients(connection, settings.natsDomain.value);
  const open = (name: Parameters<typeof bucketOpener>[1]) => bucketOpener(clients, name);
  const snapshot = new RegistrySnapshot(open("registry"), log, isWatched);
  const keys = new KeyStore(open("keys"), log, isWatched);
  const secrets = new SecretStore(open("secrets"), settings.secretsKey.value, log, isWatched);
  const buckets = [snapshot, keys, secrets];
  try {
    await Promise.all(buckets.map((bucket) => bucket.start()));
  } catch (error) {
    await Promise.all(buckets.map((bucket) => bucket.close()));
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
    streams,
    failures: new StoreFailures(Date.now),
    serverSyncsAlways: options.serverSyncsAlways === true,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(buckets.map((bucket) => bucket.close()));
      await endConnection(connection, log);
    },
  };
}

/** Tries again while JetStream does not answer, for `keepTryingMs`; then, and for every other error, throws what `work` threw. */
async function whilePassing<T>(
  work: () => Promise<T>,
  {
    nats,
    log,
    domain,
    keepTryingMs,
  }: { readonly nats: Nats; readonly log: Log; readonly domain: string | undefined; readonly keepTryingMs: number },
): Promise<T> {
  const deadline = Date.now() + keepTryingMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const cause = error instanceof OperatorError ? error.cause : error;
      if (!mayHaveJetStream(nats.connection.info, domain) || !isPassing(cause) || Date.now() + pauseMs > deadline)
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

/** What an error of the Object Store means for the sender; what is wrong with storage is noted. Never throws. */
export async function causeOfObject({ jsm, failures }: Storage, error: unknown): Promise<TryLaterCause> {
  const stream = BACKING_STREAMS.objects;
  const cause = await causeOfPublish(error, stream, jsm);
  // A fault of ours here may as well be an upload that broke off.
  if (cause !== "our-fault") failures.note(stream, cause, error);
  return cause;
}

/** Says good-bye to NATS; one that is away or silent is left without it, because nothing unacknowledged was answered 250. */
async function endConnection(connection: Nats["connection"], log: Log): Promise<void> {
  await within(connection.drain(), DRAIN_MS).catch((error: unknown) =>
    log.debug("NATS was left without a good-bye", { error }),
  );
  if (!connection.isClosed()) await connection.close();
}
