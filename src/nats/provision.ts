import type { JetStreamManager, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

import { inBytes } from "../lib/in-bytes.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import { askAgain, mayHaveJetStream } from "./ask-again.ts";
import { addEventSubjects } from "./event-subjects.ts";
import { explained, noJetStream } from "./explain.ts";
import { isNotFound } from "./missing-streams.ts";
import { ownServerOf } from "./own-server.ts";
import { BACKING_STREAMS, STREAMS } from "./stream-names.ts";
import type { StreamPlan, StreamSettings } from "./stream-plans.ts";
import { streamPlans } from "./stream-plans.ts";
import type { StreamRoom } from "./stream-room.ts";
import { copiesOf, roomInWords, roomOf, sizesOf } from "./stream-room.ts";
import { subjectCovers } from "./subject-covers.ts";

export interface ProvisionSettings extends StreamSettings {
  /** The JetStream domain, when it is not the server's own. */
  readonly domain?: string | undefined;
}

/** nats-server 2.10: JSAccountResourcesExceededErr, JSInsufficientResourcesErr, JSStorageResourcesExceededErr. */
const NO_ROOM: ReadonlySet<number> = new Set([10002, 10023, 10047]);
/** JSClusterNoPeersErrF: too few servers, or none with so much room. */
const NO_PEERS = 10005;
/** What became of a question about a stream: neither `info` nor `error` when there is none of that name. */
export interface StreamLook {
  readonly stream: string;
  readonly info?: StreamInfo | undefined;
  readonly error?: unknown;
}

/** Without them nothing is known of hooks, keys and secrets: made anew and empty they would say that none ever was. */
const NOT_RECREATED: ReadonlySet<string> = new Set([
  BACKING_STREAMS.registry,
  BACKING_STREAMS.keys,
  BACKING_STREAMS.secrets,
]);

/**
 * Creates the streams and buckets of contract §6 that are missing. One that exists keeps the operator's settings. Returns what
 * the server says of all of them.
 *
 * Throws `OperatorError` for what the operator has to mend: a foreign stream on our subjects, missing permissions,
 * JetStream switched off, an option the server does not know, more replicas than servers, too little room.
 */
export async function provision(
  connection: NatsConnection,
  settings: ProvisionSettings,
  log: Log,
): Promise<readonly StreamInfo[]> {
  try {
    if (!mayHaveJetStream(connection.info, settings.domain)) throw noJetStream();
    const jsm = await jetstreamManager(connection, { checkAPI: false, ...domainOf(settings) });
    const plans = streamPlans(settings);
    // Asked at once: almost always everything is there already.
    const found = await Promise.all(plans.map(({ config }) => streamInfo(jsm, config.name)));
    for (const [index, { config }] of plans.entries()) {
      const info = found[index];
      if (info !== undefined) await extendSubjects(jsm, info.config, config.subjects ?? []);
    }
    const missing = plans.filter((_, index) => found[index] === undefined);
    const created = await createStreams(connection, jsm, missing, settings, log);
    return [...found.filter((info) => info !== undefined), ...created];
  } catch (error) {
    throw explained(error);
  }
}

/**
 * Creates again what somebody deleted: the streams, the event stream with `exactNames` beside the workflow subjects, and the
 * buckets of objects and of unfinished outcomes. What they held is gone; that is said loudly.
 *
 * The registry and the keys are not made anew: an empty registry would turn "try again" into "no such hook" for every mail.
 * What became of each question about a stream goes to `onLook`.
 */
export async function recreateMissing(
  connection: NatsConnection,
  settings: ProvisionSettings,
  exactNames: () => readonly string[],
  onLook: (look: StreamLook) => void,
  log: Log,
): Promise<void> {
  const jsm = await jetstreamManager(connection, { checkAPI: false, ...domainOf(settings) });
  const plans = streamPlans(settings).filter(({ config }) => !NOT_RECREATED.has(config.name));
  // All in one go: an idle Posthorn wakes up for little else.
  const found = await Promise.all(plans.map(({ config }) => lookAt(jsm, config.name, onLook)));
  const gone = plans.filter((_, index) => found[index] === undefined);
  if (gone.length === 0) return;
  for (const { config } of gone)
    log.error("A stream is gone: somebody deleted it, with everything it held. It is created again", {
      stream: config.name,
    });
  await createStreams(connection, jsm, gone, settings, log);
  if (gone.some(({ config }) => config.name === STREAMS.events)) await addEventSubjects(jsm, exactNames());
}

async function createStreams(
  connection: NatsConnection,
  jsm: JetStreamManager,
  plans: readonly StreamPlan[],
  { replicas }: ProvisionSettings,
  log: Log,
): Promise<readonly StreamInfo[]> {
  if (plans.length === 0) return [];
  const room = roomOf(await askAgain(() => jsm.getAccountInfo()), ownServerOf(connection), replicas);
  const sizes = sizesOf(plans, room, replicas);
  const created: StreamInfo[] = [];
  for (const { config } of plans) {
    created.push(await createStream(jsm, { ...config, max_bytes: sizes.get(config.name) ?? -1 }, room));
    log.info("Created a stream", { stream: config.name });
  }
  return created;
}

async function createStream(
  jsm: JetStreamManager,
  config: StreamPlan["config"] & { readonly max_bytes: number },
  room: StreamRoom | undefined,
): Promise<StreamInfo> {
  const info = await jsm.streams.add({ ...config }).catch((error: unknown) => {
    throw error instanceof JetStreamApiError ? placing(config, room, error) : error;
  });
  // A server from before an option drops it in silence: what came back is compared with what was asked for.
  for (const [option, asked] of Object.entries(config)) {
    const got = info.config[option as keyof StreamConfig];
    if (JSON.stringify(got) !== JSON.stringify(asked) && !(asked === -1 && (got === undefined || got === 0))) {
      throw new OperatorError(
        `the server did not take ${option} for stream ${config.name} (asked ${JSON.stringify(asked)}, got ${JSON.stringify(got)})`,
        "use nats-server 2.10 or newer",
      );
    }
  }
  return info;
}

/** Says which stream the server could not place, what it wanted, and what there is. */
function placing(
  { name, max_bytes: bytes, num_replicas: replicas = 1 }: StreamPlan["config"] & { readonly max_bytes: number },
  room: StreamRoom | undefined,
  error: JetStreamApiError,
): unknown {
  const wanted = `${bytes > 0 ? inBytes(bytes) : "storage without a bound"}${copiesOf(replicas)}`;
  if (NO_ROOM.has(error.code))
    return new OperatorError(
      `NATS has no room for the stream ${name}: it wants ${wanted}, and ${roomInWords(room)} (${error.message})`,
      "give JetStream more storage (max_file of the account, max_file_store of the servers), or delete streams that nobody needs (`nats stream ls`)",
      { cause: error },
    );
  if (error.code === NO_PEERS)
    return new OperatorError(
      `NATS cannot place the stream ${name}, which wants ${wanted}: ${error.message}`,
      "run as many servers with JetStream as POSTHORN_REPLICAS says, each with so much storage free",
      { cause: error },
    );
  return error;
}

/** As the client takes it. */
export function domainOf({ domain }: { readonly domain?: string | undefined }): { readonly domain?: string } {
  return domain === undefined ? {} : { domain };
}

/** A stream that the operator made keeps its settings; only subjects that it lacks are added (contract §6). */
async function extendSubjects(jsm: JetStreamManager, config: StreamConfig, wanted: readonly string[]): Promise<void> {
  const subjects = config.subjects ?? [];
  const missing = wanted.filter((subject) => !subjects.some((taken) => subjectCovers(taken, subject)));
  if (missing.length > 0) await jsm.streams.update(config.name, { ...config, subjects: [...subjects, ...missing] });
}

async function lookAt(
  jsm: JetStreamManager,
  stream: string,
  onLook: (look: StreamLook) => void,
): Promise<StreamInfo | undefined> {
  try {
    const info = await infoOnce(jsm, stream);
    onLook({ stream, info });
    return info;
  } catch (error) {
    onLook({ stream, error });
    throw error;
  }
}

/** What the server says of a stream; `undefined` when there is none of that name. */
function streamInfo(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  return askAgain(() => infoOnce(jsm, name));
}

async function infoOnce(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
