import type { JetStreamAccountStats, JetStreamManager, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType, jetstreamManager } from "@nats-io/jetstream";
import { jserrors } from "@nats-io/jetstream/internal";
import { Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { errors, nanos } from "@nats-io/transport-node";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import { addEventSubjects } from "./event-subjects.ts";
import { BACKING_STREAMS, BUCKETS, STREAMS } from "./stream-names.ts";
import { subjectCovers } from "./subject-covers.ts";

export interface ProvisionSettings {
  readonly dedupeWindowMs: number;
  readonly eventsMaxAgeMs: number;
  readonly replicas: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const DEAD_LETTERS_MAX_AGE_MS = 30 * DAY_MS;
const OBJECTS_TTL_MS = 30 * DAY_MS;
const AUDIT_MAX_AGE_MS = 400 * DAY_MS;
const UNFINISHED_TTL_MS = 7 * DAY_MS;
const REFUSED_MAX_BYTES = 64 * 1024 * 1024;
/** What the events may take of what the account may store. */
const EVENTS_SHARE = 0.8;
const SUBJECTS_OVERLAP = 10065;
const STREAM_NOT_FOUND = 10059;
const NO_JETSTREAM: ReadonlySet<number> = new Set([10039, 10076]);

/**
 * Creates the streams and buckets of contract §6 that are missing. One that exists keeps the operator's settings.
 *
 * Throws `OperatorError` for what the operator has to mend: a foreign stream on our subjects, missing permissions,
 * JetStream switched off, an option the server does not know, more replicas than servers.
 */
export async function provision(connection: NatsConnection, settings: ProvisionSettings, log: Log): Promise<void> {
  try {
    const jsm = await jetstreamManager(connection);
    const names: string[] = [...Object.values(STREAMS), ...Object.values(BACKING_STREAMS)];
    // Asked at once: almost always everything is there already.
    const [account, ...infos] = await Promise.all([
      jsm.getAccountInfo(),
      ...names.map((name) => streamInfo(jsm, name)),
    ]);
    const found = new Map(names.map((name, index) => [name, infos[index]]));
    for (const config of [eventStream(account, settings), ...otherStreams(settings.replicas)])
      await ensureStream(jsm, config, found.get(config.name), log);
    await ensureBuckets(connection, found, settings.replicas);
  } catch (error) {
    throw explained(error);
  }
}

/**
 * Creates again what somebody deleted: the streams, the event stream with `exactNames` beside the workflow subjects, and the
 * buckets of objects and of unfinished outcomes. What they held is gone; that is said loudly.
 *
 * The registry and the keys are not made anew: an empty registry would turn "try again" into "no such hook" for every mail.
 */
export async function recreateMissing(
  connection: NatsConnection,
  settings: ProvisionSettings,
  exactNames: () => readonly string[],
  log: Log,
): Promise<void> {
  const jsm = await jetstreamManager(connection, { checkAPI: false });
  const others = otherStreams(settings.replicas);
  const names = [
    STREAMS.events,
    ...others.map(({ name }) => name),
    BACKING_STREAMS.unfinished,
    BACKING_STREAMS.objects,
  ];
  // All in one go: an idle Posthorn wakes up for little else.
  const found = await Promise.all(names.map((name) => streamInfo(jsm, name)));
  const gone = new Set(names.filter((_, index) => found[index] === undefined));
  for (const stream of gone)
    log.error("A stream is gone: somebody deleted it, with everything it held. It is created again", { stream });
  if (gone.has(STREAMS.events)) {
    await ensureStream(jsm, eventStream(await jsm.getAccountInfo(), settings), undefined, log);
    await addEventSubjects(connection, exactNames());
  }
  for (const config of others) if (gone.has(config.name)) await ensureStream(jsm, config, undefined, log);
  if (gone.has(BACKING_STREAMS.unfinished)) await createUnfinished(connection, settings.replicas);
  if (gone.has(BACKING_STREAMS.objects)) await createObjects(connection, settings.replicas);
}

function eventStream(
  { limits }: JetStreamAccountStats,
  settings: ProvisionSettings,
): Partial<StreamConfig> & { name: string } {
  return {
    name: STREAMS.events,
    description: "Posthorn: one message per event",
    subjects: ["kustomer.app.>"],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_age: nanos(settings.eventsMaxAgeMs),
    // An account without a limit of its own is bounded by the server, which then answers "insufficient resources".
    max_bytes: limits.max_storage > 0 ? Math.floor(limits.max_storage * EVENTS_SHARE) : -1,
    duplicate_window: nanos(settings.dedupeWindowMs),
    num_replicas: settings.replicas,
    allow_direct: true,
  };
}

function otherStreams(replicas: number): (Partial<StreamConfig> & { name: string })[] {
  const kept = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    allow_direct: true,
  };
  return [
    {
      ...kept,
      name: STREAMS.deadLetters,
      description: "Posthorn: what became no event, and why",
      subjects: ["posthorn.dead.>"],
      discard: DiscardPolicy.New,
      max_age: nanos(DEAD_LETTERS_MAX_AGE_MS),
      duplicate_window: nanos(DAY_MS),
    },
    {
      ...kept,
      name: STREAMS.refused,
      description: "Posthorn: calls that were refused",
      subjects: ["posthorn.refused.>"],
      discard: DiscardPolicy.Old,
      max_age: nanos(DAY_MS),
      max_bytes: REFUSED_MAX_BYTES,
    },
    {
      ...kept,
      name: STREAMS.audit,
      description: "Posthorn: who changed what",
      subjects: ["posthorn.audit.>"],
      discard: DiscardPolicy.Old,
      max_age: nanos(AUDIT_MAX_AGE_MS),
    },
  ];
}

async function ensureStream(
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
  found: StreamInfo | undefined,
  log: Log,
): Promise<void> {
  if (found !== undefined) return extendSubjects(jsm, found.config, config.subjects ?? []);
  const { config: created } = await jsm.streams.add(config);
  // A server from before an option drops it in silence: what came back is compared with what was asked for.
  for (const [option, asked] of Object.entries(config)) {
    const got = created[option as keyof StreamConfig];
    if (JSON.stringify(got) !== JSON.stringify(asked) && !(asked === -1 && (got === undefined || got === 0))) {
      throw new OperatorError(
        `the server did not take ${option} for stream ${config.name} (asked ${JSON.stringify(asked)}, got ${JSON.stringify(got)})`,
        "use nats-server 2.10 or newer",
      );
    }
  }
  log.info("Created a stream", { stream: config.name });
}

/** A stream that the operator made keeps its settings; only subjects that it lacks are added (contract §6). */
async function extendSubjects(jsm: JetStreamManager, config: StreamConfig, wanted: readonly string[]): Promise<void> {
  const subjects = config.subjects ?? [];
  const missing = wanted.filter((subject) => !subjects.some((taken) => subjectCovers(taken, subject)));
  if (missing.length > 0) await jsm.streams.update(config.name, { ...config, subjects: [...subjects, ...missing] });
}

/** What the server says of a stream; `undefined` when there is none of that name. */
async function streamInfo(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

async function ensureBuckets(
  connection: NatsConnection,
  found: ReadonlyMap<string, StreamInfo | undefined>,
  replicas: number,
): Promise<void> {
  const kvm = new Kvm(connection);
  for (const bucket of ["registry", "keys", "secrets"] as const) {
    // A direct get may be stale on a replica, and a revoked key must not open anything.
    if (found.get(BACKING_STREAMS[bucket]) === undefined)
      await kvm.create(BUCKETS[bucket], { history: 1, replicas, allow_direct: false });
  }
  if (found.get(BACKING_STREAMS.unfinished) === undefined) await createUnfinished(connection, replicas);
  if (found.get(BACKING_STREAMS.objects) === undefined) await createObjects(connection, replicas);
}

// The buckets whose loss costs what they held, and nothing else.

async function createUnfinished(connection: NatsConnection, replicas: number): Promise<void> {
  await new Kvm(connection).create(BUCKETS.unfinished, { history: 1, replicas, ttl: UNFINISHED_TTL_MS });
}

async function createObjects(connection: NatsConnection, replicas: number): Promise<void> {
  await new Objm(connection).create(BUCKETS.objects, {
    ttl: nanos(OBJECTS_TTL_MS),
    replicas,
    storage: StorageType.File,
  });
}

function explained(error: unknown): unknown {
  if (error instanceof OperatorError) return error;
  if (
    error instanceof jserrors.JetStreamNotEnabled ||
    (error instanceof JetStreamApiError && NO_JETSTREAM.has(error.code))
  ) {
    return new OperatorError("the NATS server has no JetStream", "switch it on: `jetstream {}` in its configuration", {
      cause: error,
    });
  }
  if (
    error instanceof errors.PermissionViolationError ||
    (error instanceof errors.RequestError && error.cause instanceof errors.PermissionViolationError)
  ) {
    return new OperatorError(
      "our NATS account may not manage JetStream",
      "allow it to publish on $JS.API.>, $KV.posthorn_*.> and $O.posthorn_objects.>",
      { cause: error },
    );
  }
  if (error instanceof JetStreamApiError && error.code === SUBJECTS_OVERLAP) {
    return new OperatorError(
      "a stream of somebody else already takes subjects of ours",
      "see `nats stream ls --subjects`; delete that stream or give Posthorn an account of its own",
      { cause: error },
    );
  }
  if (error instanceof JetStreamApiError)
    return new OperatorError(
      `NATS refused to set up a stream: ${error.message} (${error.code})`,
      "see the server's log",
      { cause: error },
    );
  return error;
}
