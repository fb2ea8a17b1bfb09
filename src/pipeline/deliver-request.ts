import type { BuiltEvent } from "../event/build-event.ts";
import { buildEvent } from "../event/build-event.ts";
import type { BuiltDeadLetter } from "../event/dead-letter.ts";
import { eventIdOf } from "../event/event-id.ts";
import { httpJson } from "../event/http-json.ts";
import { objectOf } from "../event/json.ts";
import type { Hook } from "../model/hook.ts";
import type { JsonText } from "../model/mail.ts";
import type { EventId, RequestOutcome } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { parseBodyType } from "../parse/body-kind.ts";
import type { PublishOutcome } from "../publish/publish-event.ts";
import type { StoredObject } from "./deliver-mail.ts";
import { formOf } from "./form-fields.ts";
import { deliveryIdOf } from "./delivery-id.ts";
import { readBody } from "./request-payload.ts";

/** What a request needs from the other rooms; wired by `daemon`. */
export interface RequestStages {
  storeObject(bytes: Uint8Array, receivedAt: number, signal: AbortSignal): Promise<StoredObject>;
  objectNameOf(bytes: Uint8Array, receivedAt: number): string;
  publishEvent(event: BuiltEvent, signal: AbortSignal): Promise<PublishOutcome>;
  publishDeadLetter(letter: BuiltDeadLetter, signal: AbortSignal): Promise<PublishOutcome>;
  newEventId(): EventId;
  newTraceparent(): string;
  logFault(sentence: string, fields: { readonly requestId: string; readonly error: unknown }): void;
  readonly maxEventBytes: number;
  readonly objectBucket: string;
  readonly schemaSha256Of: (hook: Hook) => string | undefined;
}

/** The outcome of a request, and where a browser wishes to go afterwards. */
export interface Delivered {
  readonly outcome: RequestOutcome;
  /** `_next` of a form, as sent; the door decides whether it may be followed. */
  readonly next?: string;
}

/** What shall be published for one request. */
export interface Publication {
  readonly eventId: EventId;
  readonly payload: JsonText;
  readonly files?: JsonText;
}

/** Takes one request to its event or dead letter. Never throws; ends when `signal` aborts at the latest. */
export async function deliverRequest(
  request: ReceivedRequest,
  stages: RequestStages,
  signal: AbortSignal,
): Promise<Delivered> {
  try {
    const type = parseBodyType(headerOf(request.headers, "content-type"));
    return request.hook.type === "form"
      ? await deliverForm(request, type, stages, signal)
      : { outcome: await deliverWeb(request, type, stages, signal) };
  } catch (error) {
    // A bug of ours, or a library that broke its promise: the sender keeps the request.
    stages.logFault("A request could not be delivered", { requestId: request.requestId, error });
    return { outcome: { kind: "tryLater", cause: "our-fault", error } };
  }
}

async function deliverWeb(
  request: ReceivedRequest,
  type: BodyType,
  stages: RequestStages,
  signal: AbortSignal,
): Promise<RequestOutcome> {
  const reading = readBody(request.body, type);
  if (reading.kind === "refused") return reading.outcome;
  if (reading.kind === "opaque") return { kind: "refused", cause: "media-type" };
  const payload = reading.kind === "payload" ? reading.payload : formOf(reading.fields, undefined).payload;
  const deliveryId = deliveryIdOf(request.headers);
  const eventId = deliveryId === undefined ? stages.newEventId() : eventIdOf(["web", request.hook.hookId, deliveryId]);
  return publish({ eventId, payload }, request, type, stages, signal);
}

async function deliverForm(
  request: ReceivedRequest,
  type: BodyType,
  stages: RequestStages,
  signal: AbortSignal,
): Promise<Delivered> {
  const { hook } = request;
  const reading = readBody(request.body, type);
  if (reading.kind === "refused") return reading;
  if (reading.kind === "opaque") return { outcome: { kind: "refused", cause: "media-type" } };
  const form = formOf(reading.kind === "fields" ? reading.fields : reading.payload, hook.options);
  const eventId = form.id === undefined ? stages.newEventId() : eventIdOf(["form", hook.hookId, form.id, form.payload]);
  const outcome = await publish({ eventId, payload: form.payload }, request, type, stages, signal);
  return { outcome, ...(form.next !== undefined && { next: form.next }) };
}

/** Objects first, then the event; the outcome is what the ack said. */
async function publish(
  { eventId, payload, files }: Publication,
  request: ReceivedRequest,
  type: BodyType,
  stages: RequestStages,
  signal: AbortSignal,
): Promise<RequestOutcome> {
  const { hook, receivedAt } = request;
  const http = httpJson({
    hookId: hook.hookId,
    method: request.method,
    query: request.query,
    headers: request.headers,
    remoteAddress: request.remoteAddress,
    mediaType: type.mediaType,
  });
  const schemaSha256 = stages.schemaSha256Of(hook);
  const event = buildEvent(
    {
      eventId,
      hook,
      subject: null,
      receivedAt,
      traceparent: stages.newTraceparent(),
      ...(schemaSha256 !== undefined && { schemaSha256 }),
    },
    objectOf([
      ["payload", payload],
      ["http", http],
      ["files", files],
    ]),
    {
      maxBytes: stages.maxEventBytes,
      bucket: stages.objectBucket,
      claimName: (bytes) => stages.objectNameOf(bytes, receivedAt),
    },
  );
  if (event.claim !== undefined) {
    const claim = await stages.storeObject(event.claim.bytes, receivedAt, signal);
    if (claim.kind === "tryLater") return claim;
  }
  const { outcome } = await stages.publishEvent(event, signal);
  // Requests are refused before anything is published; `publishEvent` never does.
  return outcome as RequestOutcome;
}
