import { isAnsweredWithHmac } from "../authenticate/handshakes.ts";
import { verifyCaptcha } from "../authenticate/captcha.ts";
import type { Settings } from "../config/settings.ts";
import type { Engine } from "../engine/engine.ts";
import { createRandomPieces } from "../lib/random-pieces.ts";
import { toBase32 } from "../lib/base32.ts";
import { Deadlines, SLICE_MS } from "../lib/deadlines.ts";
import type { Hook } from "../model/hook.ts";
import type { SecretReference } from "../model/hook-options.ts";
import type { EventId } from "../model/outcome.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import type { RequestStages } from "../pipeline/request-stages.ts";
import { getObject, putStream, removeObject, streamedObjectName } from "../publish/objects.ts";
import { EVENT_STREAM } from "../publish/publish-event.ts";
import { newTraceparent } from "../telemetry/trace-context.ts";
import type { Log } from "../telemetry/log.ts";
import type { SecretsOf } from "./secrets.ts";
import { maxPayloadOf } from "./delivery.ts";
import type { Storage } from "./storage.ts";
import { causeOfObject } from "./storage.ts";

/** Webhook senders wait 5 to 30 s; after this they hear 503. */
const DELIVER_MS = 5_000;
const CHUNK_TIMEOUT_MS = 5_000;
/** Somebody waits at a form while the captcha's service is asked. */
const CAPTCHA_MS = 4_000;

/** The stages of a request, wired to the rooms that carry them out; those of a mail that are the same are taken over. */
export function requestStages(parts: {
  readonly storage: Storage;
  readonly settings: Settings;
  readonly stages: MailStages;
  readonly engine: Engine;
  readonly log: Log;
  readonly secretsOf: SecretsOf;
  readonly rememberStored: (eventId: EventId) => void;
}): RequestStages {
  const { storage, settings, stages, engine, log } = parts;
  const random = createRandomPieces();
  const newId = () => toBase32(random(16));
  const deadlines = new Deadlines(DELIVER_MS - SLICE_MS);
  return {
    storeBytes: (bytes, message, signal) => stages.storeBytes(bytes, message, signal),
    readRequest: (request) => stages.readRequest(request),
    storeStream: async (stream, receivedAt) => {
      const name = streamedObjectName(newId(), receivedAt);
      if (!storage.nats.isConnected()) return { kind: "tryLater", cause: "nats-away", error: undefined };
      try {
        const options = { timeoutMs: CHUNK_TIMEOUT_MS, maxPayload: maxPayloadOf(storage) };
        return { kind: "stored", name, ...(await putStream(storage.objects, name, stream, options)) };
      } catch (error) {
        return { kind: "tryLater", cause: await causeOfObject(storage, error), error };
      }
    },
    removeObjects: async (names) => {
      await Promise.all(names.map((name) => removeObject(storage.objects, name))).catch((error: unknown) =>
        log.warn("Files of a refused form stay until they expire", { error }),
      );
    },
    checkSchema: (schema, payload) => engine.checkSchema(schema, payload),
    secretsOf: parts.secretsOf,
    isAnsweredWith: (hook, references) => answersWith(storage, hook, [references].flat()),
    verifyCaptcha: (ask, signal) =>
      verifyCaptcha(ask, settings.captchaUrl.value, AbortSignal.any([signal, AbortSignal.timeout(CAPTCHA_MS)])),
    publishEvent: (event, signal) => stages.publishEvent(event, signal),
    publishDeadLetter: (letter, signal) => stages.publishDeadLetter(letter, signal),
    storedData: (sequence) => storedData(storage, sequence),
    rememberStored: parts.rememberStored,
    newEventId: () => newId() as EventId,
    newTraceparent: (continued) => continued ?? newTraceparent(random(24)),
    logFault: (sentence, fields) => log.error(sentence, fields),
    publicUrl: settings.publicUrl,
    deadline: () => deadlines.next(),
    get maxEventBytes() {
      return stages.maxEventBytes;
    },
    maxFieldBytes: settings.maxBodyBytes,
    objectBucket: stages.objectBucket,
    schemaSha256Of: (hook) => stages.schemaSha256Of(hook),
  };
}

/** Asked only about bodies that look like a token, so that a walk over all hooks is cheap enough. */
function answersWith({ snapshot }: Storage, hook: Hook, references: readonly SecretReference[]): boolean {
  return snapshot.hooks().some(({ app, eventName, options: { handshake, signature } }) => {
    if (app !== hook.app || handshake === undefined) return false;
    const { kind, secret } = typeof handshake === "string" ? { kind: handshake, secret: undefined } : handshake;
    if (!isAnsweredWithHmac(kind)) return false;
    const answering = [secret ?? signature?.secret ?? []].flat();
    // Under "kv" each hook has secrets of its own.
    return answering.some((one) => references.includes(one) && (one !== "kv" || eventName === hook.eventName));
  });
}

const DATA = ',"data":';
const DATAREF = /,"dataref":"nats-object:\/\/[^/"]+\/([^"]+)"/;

/** `data` is the last member of every event that we build; an unescaped quote never stands inside an earlier one. */
async function storedData({ jsm, objects }: Storage, sequence: number): Promise<string | undefined> {
  const message = await jsm.streams.getMessage(EVENT_STREAM, { seq: sequence });
  const text = message?.string();
  if (text === undefined) return undefined;
  const at = text.indexOf(DATA);
  if (at >= 0) return text.slice(at + DATA.length, -1);
  const name = DATAREF.exec(text)?.[1];
  const bytes = name === undefined ? undefined : await getObject(objects, name);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}
