import { createHash } from "node:crypto";

import { DnsLookups } from "../authenticate/dns-lookups.ts";
import type { DmarcReading } from "../authenticate/dmarc.ts";
import { authenticateMail } from "../authenticate/mail.ts";
import type { Settings } from "../config/settings.ts";
import { MAX_INLINE_EVENT_BYTES } from "../event/build-event.ts";
import { Gate } from "../lib/gate.ts";
import { createRandomPieces } from "../lib/random-pieces.ts";
import { Remembered } from "../lib/remembered.ts";
import { within } from "../lib/within.ts";
import type { Hook } from "../model/hook.ts";
import { causeOf, causeOfPublish } from "../nats/cause-of.ts";
import { INBOX_PREFIX } from "../nats/connection.ts";
import type { MailStages, StoredObject } from "../pipeline/deliver-mail.ts";
import { piecesOfAttachment } from "../parse/mail.ts";
import type { ObjectContent } from "../publish/objects.ts";
import { OBJECT_BUCKET, objectNameOf, putObject } from "../publish/objects.ts";
import { AckInbox } from "../publish/ack-inbox.ts";
import { publishDeadLetter } from "../publish/dead-letter.ts";
import { EVENT_STREAM, publishEvent } from "../publish/publish-event.ts";
import type { Publish } from "../publish/publish.ts";
import { createPublish } from "../publish/publish.ts";
import { Pulse } from "../publish/pulse.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { newTraceparent } from "../telemetry/trace-context.ts";
import type { WorkerPool } from "../worker/pool.ts";
import type { ReadLimits } from "../worker/read-mail.ts";
import { isLightWork, readMail } from "../worker/read-mail.ts";
import { secretsFrom } from "./secrets.ts";
import type { Storage } from "./storage.ts";

/** The limits of contract §4. */
export const READ_LIMITS: ReadLimits = {
  mime: { parts: 1_000, mimeDepth: 50, headerBytes: 256 * 1024, rfc822Depth: 8, textBytes: 64 * 1024 },
  extract: { jsonDepth: 512, items: 1_000, htmlDepth: 512, htmlNodes: 250_000 },
};

// Measured best by the field notes; more in flight only makes each wait longer.
const MAX_IN_FLIGHT = 256;
const MAX_WAITING_PUBLISHES = 10_000;
const ATTEMPT_MS = 3_000;
const OBJECT_TIMEOUT_MS = 5_000;
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const PROBE_MS = 1_000;
/** What headers and protocol may add to an event's bytes in one NATS message. */
const MESSAGE_OVERHEAD_BYTES = 4 * 1024;

const DNS_LIMITS = {
  timeoutMs: 5_000,
  cacheMs: 60_000,
  troubleMs: 5_000,
  cachedAnswers: 20_000,
  lookupsPerMail: 80,
  inFlight: 1_000,
};
const POLICIES = 10_000;
const DNS_DEADLINE_MS = 8_000;

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
  readonly pool: WorkerPool;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly env: NodeJS.ProcessEnv;
}

/** The stages of a mail, wired to the rooms that carry them out. */
export function mailStages({ storage, settings, publish, pool, log, metrics, env }: DeliveryParts): MailStages {
  const secretsOf = secretsFrom(storage, env);
  const random = createRandomPieces();
  return {
    read: async (bytes, wishes) => {
      const startedAt = performance.now();
      const result = isLightWork(bytes, wishes)
        ? await readMail(bytes, wishes, READ_LIMITS)
        : await pool.read(bytes, wishes);
      metrics?.observeParse(performance.now() - startedAt);
      return result;
    },
    keyOf: async (hook) => (hook.options.key === undefined ? undefined : secretsOf(hook, hook.options.key)[0]),
    verdictsOf: authenticatorOf(settings, log),
    sha256: (bytes) => pool.sha256(bytes),
    storeObject: async (bytes, receivedAt) => {
      const sha256 = await pool.sha256(bytes);
      return storeObject(storage, { size: bytes.length, sha256, pieces: () => [bytes] }, receivedAt);
    },
    storeAttachment: (attachment, receivedAt) => {
      const { size, sha256 } = attachment;
      return storeObject(storage, { size, sha256, pieces: () => piecesOfAttachment(attachment) }, receivedAt);
    },
    publishEvent: ({ eventId, hook, bytes }, signal) =>
      publishEvent({ eventId, eventName: hook.eventName, bytes }, publish, signal),
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

/** The look-ups of all mails share one cache; one mail may wait for DNS for less than a delivery may take. */
function authenticatorOf({ dnsServers, authservIds }: Settings, log: Log): MailStages["verdictsOf"] {
  const onFault = (error: unknown) => log.error("A mail could not be authenticated", { error });
  const rules = {
    dns: new DnsLookups({ servers: dnsServers, ...DNS_LIMITS }),
    authservIds,
    policies: new Remembered<DmarcReading>(POLICIES),
    onFault,
  };
  return ({ bytes, envelope, peer }) =>
    authenticateMail({ bytes, envelope, peer }, rules, Date.now() + DNS_DEADLINE_MS);
}

/** What the server takes in one message; it says so anew at each connection. */
export function maxPayloadOf({ nats }: Storage): number {
  return nats.connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
}

async function storeObject(storage: Storage, content: ObjectContent, receivedAt: number): Promise<StoredObject> {
  if (!storage.nats.isConnected()) return { kind: "tryLater", cause: "nats-away", error: undefined };
  const name = objectNameOf(content.sha256, receivedAt);
  try {
    await putObject(storage.objects, name, content, {
      timeoutMs: OBJECT_TIMEOUT_MS,
      maxPayload: maxPayloadOf(storage),
    });
    return { kind: "stored", name };
  } catch (error) {
    return { kind: "tryLater", cause: await causeOfPublish(error, `OBJ_${OBJECT_BUCKET}`, storage.jsm), error };
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
