import { createHash } from "node:crypto";

import type { Settings } from "../config/settings.ts";
import { READ_LIMITS } from "../engine/budgets.ts";
import { Engine } from "../engine/engine.ts";
import type { PlannedObject } from "../engine/job.ts";
import { MAX_INLINE_EVENT_BYTES } from "../event/build-event.ts";
import { objectNameOf } from "../event/object-name.ts";
import { Gate } from "../lib/gate.ts";
import { hashInTurns } from "../lib/hash-in-turns.ts";
import { createRandomPieces } from "../lib/random-pieces.ts";
import { within } from "../lib/within.ts";
import type { Hook } from "../model/hook.ts";
import type { EventId } from "../model/outcome.ts";
import { causeOf, causeOfPublish } from "../nats/cause-of.ts";
import { INBOX_PREFIX } from "../nats/inbox.ts";
import type { MailStages, StoredObject } from "../pipeline/deliver-mail.ts";
import { decodeInPieces } from "../parse/transfer-encoding.ts";
import { OBJECT_BUCKET, putObject } from "../publish/objects.ts";
import { AckInbox } from "../publish/ack-inbox.ts";
import { publishDeadLetter } from "../publish/dead-letter.ts";
import { EVENT_STREAM, publishEvent } from "../publish/publish-event.ts";
import type { Publish } from "../publish/publish.ts";
import { createPublish } from "../publish/publish.ts";
import { Pulse } from "../publish/pulse.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { newTraceparent } from "../telemetry/trace-context.ts";
import { secretsFrom } from "./secrets.ts";
import type { Storage } from "./storage.ts";
import { causeOfObject } from "./storage.ts";

// Measured best by the field notes; more in flight only makes each wait longer.
const MAX_IN_FLIGHT = 256;
const MAX_WAITING_PUBLISHES = 10_000;
const ATTEMPT_MS = 3_000;
const OBJECT_TIMEOUT_MS = 5_000;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const PROBE_MS = 1_000;
const MAX_WAITING_MAILS = 1_000;
/** What headers and protocol may add to an event's bytes in one NATS message. */
const MESSAGE_OVERHEAD_BYTES = 4 * 1024;

/** The places of publishes on their way, and of those that wait for one. */
export function publishGate(): Gate {
  return new Gate(MAX_IN_FLIGHT, MAX_WAITING_PUBLISHES);
}

/** Publishing on the storage's connection, every ack checked. */
export function publishOn(
  storage: Storage,
  metrics: Metrics | undefined,
  pulse?: Pulse,
  gate: Gate = publishGate(),
): Publish {
  const inbox = new AckInbox(storage.nats.connection, { inboxPrefix: INBOX_PREFIX, timeoutMs: ATTEMPT_MS });
  return createPublish(inbox, {
    gate,
    causeOf: (error, stream) => causeOfPublish(error, stream, storage.jsm),
    isConnected: () => storage.nats.isConnected(),
    onAck: (ackMs) => {
      pulse?.heard();
      metrics?.observeAck(ackMs);
    },
    onNoAck: () => {
      pulse?.missed();
      metrics?.countNoAck();
    },
    onFailure: (stream, cause, error) => storage.failures.note(stream, cause, error),
  });
}

const NO_ANSWER: ReadonlySet<ReturnType<typeof causeOf>> = new Set(["no-ack", "nats-away", "no-responders"]);

/** Notices when the event stream stops to answer, and when it answers again. */
export function createPulse(storage: Storage): Pulse {
  return new Pulse(async () => {
    const asked = storage.jsm.streams.info(EVENT_STREAM).then(
      () => true,
      // Any answer ends the silence: what is wrong with the stream is said by the next mail's own answer.
      (error: unknown) => !NO_ANSWER.has(causeOf(error)),
    );
    return (await within(asked, PROBE_MS)) ?? false;
  });
}

export interface DeliveryParts {
  readonly storage: Storage;
  readonly settings: Settings;
  readonly publish: Publish;
  /** Whether an event of this id is known to be stored. */
  readonly isStored?: (eventId: EventId) => boolean;
  readonly engine: Engine;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly env: NodeJS.ProcessEnv;
}

/** The engine that the settings ask for. */
export function createEngine(
  { workers, parseTimeout, dnsServers, authservIds }: Settings,
  log: Log,
  onRestart: () => void = () => undefined,
): Engine {
  return new Engine({
    workers,
    parseTimeoutMs: parseTimeout,
    maxWaiting: MAX_WAITING_MAILS,
    limits: READ_LIMITS,
    dnsServers,
    authservIds,
    objectBucket: OBJECT_BUCKET,
    onRestart: (why) => {
      onRestart();
      log.warn("An engine thread was replaced", { why });
    },
    onFault: (sentence, error) => log.error(sentence, { error }),
  });
}

/** The stages of a mail, wired to the rooms that carry them out. */
export function mailStages({
  storage,
  settings,
  publish,
  isStored,
  engine,
  log,
  metrics,
  env,
}: DeliveryParts): MailStages {
  const secretsOf = secretsFrom(storage, env);
  const random = createRandomPieces();
  return {
    plan: async (job, signal) => {
      const startedAt = performance.now();
      const answer = await engine.planMail(job, signal);
      metrics?.observeParse(performance.now() - startedAt);
      return answer;
    },
    readRequest: (request) => engine.readRequest(request),
    keyOf: (hook) => (hook.options.key === undefined ? undefined : secretsOf(hook, hook.options.key)[0]),
    storeObject: (object) => storeObject(storage, object),
    storeBytes: async (bytes, { messageKey, receivedAt }) => {
      const sha256 = await hashInTurns(bytes);
      const name = objectNameOf(messageKey, sha256, receivedAt);
      return storeObject(storage, { name, size: bytes.length, sha256, bytes, isEncoded: false });
    },
    isStored: isStored ?? (() => false),
    publishEvent: (event, signal) =>
      publishEvent({ eventId: event.eventId, eventName: event.hook.eventName, bytes: event.bytes }, publish, signal),
    publishDeadLetter: (letter, signal) => publishDeadLetter(letter, publish, signal),
    newTraceparent: () => newTraceparent(random(24)),
    logFault: (sentence, fields) => log.error(sentence, fields),
    get maxEventBytes() {
      return Math.min(MAX_INLINE_EVENT_BYTES, maxPayloadOf(storage) - MESSAGE_OVERHEAD_BYTES);
    },
    objectBucket: OBJECT_BUCKET,
    archive: settings.archive,
    schemaSha256Of,
  };
}

/** What the server takes in one message; it says so anew at each connection. */
export function maxPayloadOf({ nats }: Storage): number {
  return nats.connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
}

async function storeObject(storage: Storage, object: PlannedObject): Promise<StoredObject> {
  if (!storage.nats.isConnected()) return { kind: "tryLater", cause: "nats-away", error: undefined };
  const { name, size, bytes, isEncoded } = object;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const content = { size, pieces: () => (isEncoded ? decodeInPieces(buffer) : [bytes]) };
    await putObject(storage.objects, name, content, {
      timeoutMs: OBJECT_TIMEOUT_MS,
      maxPayload: maxPayloadOf(storage),
    });
    return { kind: "stored", name };
  } catch (error) {
    return { kind: "tryLater", cause: await causeOfObject(storage, error), error };
  }
}

const schemaHashes = new WeakMap<object, string>();

function schemaSha256Of({ options }: Hook): string | undefined {
  const { schema } = options;
  if (schema === undefined) return undefined;
  const text = JSON.stringify(schema);
  if (typeof schema !== "object") return createHash("sha256").update(text).digest("hex");
  let hash = schemaHashes.get(schema);
  if (hash === undefined) {
    hash = createHash("sha256").update(text).digest("hex");
    schemaHashes.set(schema, hash);
  }
  return hash;
}
