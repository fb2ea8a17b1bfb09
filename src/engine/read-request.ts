import type { Covered } from "../authenticate/signatures/scheme.ts";
import type { CloudEventAttribute } from "../event/http-json.ts";
import { eventIdOf } from "../event/event-id.ts";
import type { SchemaVerdict } from "../extract/schema.ts";
import { checkSchema } from "../extract/schema.ts";
import type { Hook } from "../model/hook.ts";
import type { JsonText } from "../model/mail.ts";
import type { EventId, RequestOutcome, RequestProblem } from "../model/outcome.ts";
import type { RequestHeaders } from "../model/request.ts";
import type { FormField } from "../parse/body-fields.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { bodyKindOf } from "../parse/body-kind.ts";
import { deliveryNameOf } from "./delivery-id.ts";
import type { Form } from "./form-fields.ts";
import { formOf } from "./form-fields.ts";
import { incomingEventsOf, namedInBody } from "./incoming-cloudevents.ts";
import { readBody } from "./request-payload.ts";

/** A request whose body is whole, and whose sender is known as far as its hook asks. */
export interface RequestToRead {
  readonly hook: Hook;
  readonly type: BodyType;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
  /** Fields of a multipart form, read while it arrived: then `body` is not looked at. */
  readonly fields?: readonly FormField[];
  /** What its signature covers; undefined for an API key, and for a form. */
  readonly covered?: Covered;
}

/** What the sender calls the delivery, as the event's id; without one it has none. */
interface Named {
  readonly eventId?: EventId;
  /** The sender chose it as a key of its own: the same one with another payload is its mistake. */
  readonly isIdChosen: boolean;
}

/** An event to be, and what its hook's schema says of it. */
export interface ReadPayload extends Named {
  readonly payload: JsonText;
  readonly verdict: SchemaVerdict;
  /** Of a CloudEvent that came in. */
  readonly attributes?: readonly CloudEventAttribute[];
}

export type RequestReading =
  | { readonly kind: "refused"; readonly outcome: RequestOutcome }
  /** Nothing that is read here: stored as an object when the hook allows that. */
  | ({ readonly kind: "opaque" } & Named)
  | { readonly kind: "events"; readonly isBatch: boolean; readonly events: readonly ReadPayload[] }
  | { readonly kind: "form"; readonly form: Form; readonly read: ReadPayload };

/** Reads the body of a request, names its delivery, and holds its payload against the hook's schema. Never throws for what a sender sent. */
export async function readRequest(request: RequestToRead): Promise<RequestReading> {
  return request.hook.type === "web" ? readWeb(request) : readForm(request);
}

async function readWeb(request: RequestToRead): Promise<RequestReading> {
  const { hook, type, headers, body, fields, covered } = request;
  if (fields !== undefined) return withForm(formOf(fields, undefined), request);
  const incoming = incomingEventsOf({ headers, body }, type);
  if (incoming.kind === "refused") return malformed(incoming.problems);
  if (incoming.kind === "events") {
    // A signature covers no header field but its own: those of binary mode could be anybody's.
    const isCovered = covered === undefined || incoming.mode !== "binary";
    const events: ReadPayload[] = [];
    for (const event of incoming.events) {
      const { payload, attributes } = event;
      const named = isCovered ? namedEvent(event, hook) : namedDelivery(payload, request);
      events.push({ ...named, payload, attributes, verdict: await verdictOf(payload, hook) });
    }
    return { kind: "events", isBatch: incoming.mode === "batch", events };
  }
  const reading = readBody(body, type);
  switch (reading.kind) {
    case "refused":
      return reading;
    case "opaque":
      return { kind: "opaque", ...namedDelivery(undefined, request) };
    case "payload":
    case "fields": {
      const payload = reading.kind === "payload" ? reading.payload : formOf(reading.fields, undefined).payload;
      return withForm({ payload, isTrapped: false }, request);
    }
  }
}

async function readForm(request: RequestToRead): Promise<RequestReading> {
  const { hook, type, body, fields } = request;
  const reading = fields === undefined ? readBody(body, type) : ({ kind: "fields", fields } as const);
  if (reading.kind === "refused") return reading;
  if (reading.kind === "opaque") return { kind: "opaque", isIdChosen: false };
  const content = reading.kind === "fields" ? reading.fields : reading.payload;
  const form = formOf(content, hook.options, bodyKindOf(type.mediaType) === "xml");
  const verdict = await verdictOf(form.payload, hook);
  return { kind: "form", form, read: { payload: form.payload, verdict, isIdChosen: false } };
}

async function withForm(form: Form, request: RequestToRead): Promise<RequestReading> {
  const { payload } = form;
  const verdict = await verdictOf(payload, request.hook);
  return { kind: "form", form, read: { ...namedDelivery(payload, request), payload, verdict } };
}

async function verdictOf(payload: JsonText, { options: { schema } }: Hook): Promise<SchemaVerdict> {
  return schema === undefined ? { kind: "meets" } : checkSchema(schema, payload);
}

function malformed(problems: readonly RequestProblem[]): RequestReading {
  return { kind: "refused", outcome: { kind: "refused", cause: "malformed", problems } };
}

function namedEvent({ source, id }: { readonly source: string; readonly id: string }, hook: Hook): Named {
  return { eventId: eventIdOf(["cloudevent", hook.hookId, source, id]), isIdChosen: false };
}

/** The id of an event for what its sender calls it; none where it calls it nothing. */
function namedDelivery(payload: JsonText | undefined, { hook, headers, body, covered }: RequestToRead): Named {
  const { signature: option, deliveryId: place } = hook.options;
  const signature = covered !== undefined && option !== undefined ? { option, covered } : undefined;
  // The media type is in no signature either: without one a CloudEvent in the body is still known by its own id.
  const event = signature !== undefined && place === undefined ? namedInBody(body) : undefined;
  if (event !== undefined) return namedEvent(event, hook);
  const name = deliveryNameOf({ headers, body, payload, signature, place });
  return name === undefined
    ? { isIdChosen: false }
    : { eventId: eventIdOf(["web", hook.hookId, name.name]), isIdChosen: name.isKey };
}
