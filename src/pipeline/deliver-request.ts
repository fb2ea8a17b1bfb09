import { eventIdOf } from "../event/event-id.ts";
import { toJson } from "../event/json.ts";
import { objectNameOf } from "../event/object-name.ts";
import { hashInTurns } from "../lib/hash-in-turns.ts";
import type { JsonText } from "../model/mail.ts";
import type { RequestOutcome, RequestProblem } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import { BodyProblem, headerOf } from "../model/request.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { bodyKindOf, parseBodyType } from "../parse/body-kind.ts";
import type { SignatureCheck } from "./authenticate-request.ts";
import { captchaOutcome, checkSignature } from "./authenticate-request.ts";
import type { DeliveryName } from "./delivery-id.ts";
import { deliveryNameOf } from "./delivery-id.ts";
import type { Form } from "./form-fields.ts";
import { formOf } from "./form-fields.ts";
import { incomingEventsOf, namedInBody } from "./incoming-cloudevents.ts";
import type { Publication } from "./publish-request.ts";
import { deadLetterRequest, publishRequest } from "./publish-request.ts";
import type { ReceivedFile } from "./receive-files.ts";
import { contentOf } from "./request-content.ts";
import type { RequestStages } from "./request-stages.ts";

/** The outcome of a request, and where a browser wishes to go afterwards. */
export interface Delivered {
  readonly outcome: RequestOutcome;
  /** `_next` of a form, as sent; the door decides whether it may be followed. */
  readonly next?: string;
}

/** Takes one request to its event or dead letter. Never throws; its time begins when the body is whole. */
export async function deliverRequest(request: ReceivedRequest, stages: RequestStages): Promise<Delivered> {
  try {
    const type = parseBodyType(headerOf(request.headers, "content-type"));
    return request.hook.type === "form"
      ? await deliverForm(request, type, stages)
      : { outcome: await deliverWeb(request, type, stages) };
  } catch (error) {
    if (error instanceof BodyProblem)
      return {
        outcome:
          error.kind === "too-large"
            ? { kind: "refused", cause: "too-large" }
            : { kind: "tryLater", cause: "idle", error },
      };
    // A bug of ours, or a library that broke its promise: the sender keeps the request.
    stages.logFault("A request could not be delivered", { requestId: request.requestId, error });
    return { outcome: { kind: "tryLater", cause: "our-fault", error } };
  }
}

async function deliverWeb(request: ReceivedRequest, type: BodyType, stages: RequestStages): Promise<RequestOutcome> {
  const check = checkSignature(request, stages);
  if (check.kind === "no") return check.outcome;
  const incoming = incomingEventsOf(request, type);
  if (incoming.kind === "refused") return { kind: "refused", cause: "malformed", problems: incoming.problems };
  if (incoming.kind === "events") {
    // A signature covers no header field but its own: those of binary mode could be anybody's.
    const isCovered = check.kind === "unsigned" || incoming.mode !== "binary";
    const publications = incoming.events.map((event): Publication => {
      const named = isCovered ? namedEvent(event, request) : namedDelivery(event.payload, check, request, stages);
      return {
        ...named,
        payload: event.payload,
        mediaType: type.mediaType,
        files: [],
        cloudevent: event.attributes,
      };
    });
    return deliverEvents(publications, incoming.mode === "batch", request, stages);
  }
  const content = await contentOf(request, type, stages);
  if (content.kind === "no") return content.outcome;
  const payload =
    content.kind === "opaque"
      ? undefined
      : typeof content.body === "string"
        ? content.body
        : formOf(content.body, undefined).payload;
  const about = { ...namedDelivery(payload, check, request, stages), mediaType: type.mediaType };
  if (content.kind === "opaque" || payload === undefined) return deliverOpaque(about, request, stages);
  return checkAndPublish({ ...about, payload, files: content.files }, request, stages);
}

type Named = Pick<Publication, "eventId" | "isIdChosen">;

function namedEvent({ source, id }: { readonly source: string; readonly id: string }, request: ReceivedRequest): Named {
  return { eventId: eventIdOf(["cloudevent", request.hook.hookId, source, id]), isIdChosen: false };
}

/** The id of an event for what its sender calls it; a random one where it calls it nothing. */
function namedDelivery(
  payload: JsonText | undefined,
  check: Exclude<SignatureCheck, { readonly kind: "no" }>,
  request: ReceivedRequest,
  stages: RequestStages,
): Named {
  const { hook, headers, body } = request;
  const { signature: option, deliveryId: place } = hook.options;
  const signature = check.kind === "signed" && option !== undefined ? { option, covered: check.covered } : undefined;
  // The media type is in no signature either: without one a CloudEvent in the body is still known by its own id.
  const event = signature !== undefined && place === undefined ? namedInBody(body) : undefined;
  if (event !== undefined) return namedEvent(event, request);
  const name: DeliveryName | undefined = deliveryNameOf({ headers, body, payload, signature, place });
  return name === undefined
    ? { eventId: stages.newEventId(), isIdChosen: false }
    : { eventId: eventIdOf(["web", hook.hookId, name.name]), isIdChosen: name.isKey };
}

async function deliverForm(request: ReceivedRequest, type: BodyType, stages: RequestStages): Promise<Delivered> {
  const { hook } = request;
  const content = await contentOf(request, type, stages);
  if (content.kind === "no") return content;
  if (content.kind === "opaque") {
    // No field of it can be read, so nobody has solved a captcha.
    const doubtful = await captchaOutcome(undefined, request, stages, stages.deadline());
    if (doubtful !== undefined) return { outcome: doubtful };
    const about = { eventId: stages.newEventId(), mediaType: type.mediaType, isIdChosen: false };
    return { outcome: await deliverOpaque(about, request, stages) };
  }
  const { files } = content;
  const kind = bodyKindOf(type.mediaType);
  const form = formOf(content.body, hook.options, kind === "xml");
  const next = form.next === undefined ? {} : { next: form.next };
  const publication = { eventId: formEventId(form, files, request, stages), payload: form.payload, files };
  const about = { ...publication, mediaType: type.mediaType, isIdChosen: false };
  if (form.isTrapped || files.some(({ field }) => field === hook.options.honeypot)) {
    const reason = { code: "honeypot", detail: `The field ${hook.options.honeypot} was filled in` } as const;
    // What a release reads again: a multipart form's fields, for its files are stored already, or the body as it came.
    const raw = kind === "multipart" ? Buffer.from(form.payload) : request.body;
    return { outcome: await deadLetterRequest(about, reason, raw, request, stages, stages.deadline()), ...next };
  }
  const doubtful = await captchaOutcome(form.captcha, request, stages, stages.deadline());
  if (doubtful !== undefined) {
    await stages.removeObjects(files.flatMap(({ object }) => object ?? []));
    return { outcome: doubtful };
  }
  return { outcome: await checkAndPublish(about, request, stages), ...next };
}

/** With `_id`, the same submit sent twice is one event: by its hook, its id and everything else in it (contract §5). */
function formEventId(form: Form, files: readonly ReceivedFile[], { hook }: ReceivedRequest, stages: RequestStages) {
  return form.id === undefined
    ? stages.newEventId()
    : eventIdOf([
        "form",
        hook.hookId,
        form.id,
        form.payload,
        ...files.map(({ field, sha256 }) => `${field} ${sha256}`),
      ]);
}

async function checkAndPublish(
  publication: Publication,
  request: ReceivedRequest,
  stages: RequestStages,
): Promise<RequestOutcome> {
  const failed = await schemaOutcome([publication], request, stages);
  const outcome = failed ?? (await publishRequest(publication, request, stages, stages.deadline()));
  if (outcome.kind === "refused") await stages.removeObjects(publication.files.flatMap(({ object }) => object ?? []));
  return outcome;
}

/** Why payloads may not be published by the hook's schema; undefined when they may. */
async function schemaOutcome(
  publications: readonly Publication[],
  { hook }: ReceivedRequest,
  stages: RequestStages,
  at = (_index: number) => "",
): Promise<RequestOutcome | undefined> {
  const { schema } = hook.options;
  if (schema === undefined) return undefined;
  const problems: RequestProblem[] = [];
  for (const [index, { payload }] of publications.entries()) {
    const verdict = await stages.checkSchema(schema, payload);
    switch (verdict.kind) {
      case "meets":
        break;
      case "fails":
        problems.push(...verdict.problems.map(({ pointer, message }) => ({ pointer: at(index) + pointer, message })));
        break;
      case "unusable": {
        const error = new Error(`the schema of ${hook.eventName} cannot be used: ${verdict.why}`);
        return { kind: "tryLater", cause: "setting-wrong", error };
      }
      case "busy":
        return { kind: "tryLater", cause: "busy" };
      // Which of schema and payload takes so long nobody knows here; a payload is never thrown away for it.
      case "parse-timeout":
      case "too-slow":
      case "died":
        return { kind: "tryLater", cause: "parse-slow" };
    }
  }
  return problems.length === 0 ? undefined : { kind: "refused", cause: "schema-failed", problems };
}

/** One event, or a batch that is answered 202 only when all are stored; a retry stores only the rest. */
async function deliverEvents(
  publications: readonly Publication[],
  isBatch: boolean,
  request: ReceivedRequest,
  stages: RequestStages,
): Promise<RequestOutcome> {
  const failed = await schemaOutcome(publications, request, stages, (index) => (isBatch ? `/${index}` : ""));
  if (failed !== undefined) return failed;
  const signal = stages.deadline();
  const outcomes = await Promise.all(
    publications.map((publication) => publishRequest(publication, request, stages, signal)),
  );
  const [first] = outcomes;
  if (!isBatch && first !== undefined) return first;
  const events: { eventId: Publication["eventId"]; duplicate: boolean }[] = [];
  for (const outcome of outcomes) if (outcome.kind === "stored") events.push(outcome);
  const failedOne = outcomes.find(({ kind }) => kind !== "stored");
  if (failedOne !== undefined) {
    for (const { eventId } of events) stages.rememberStored(eventId);
    return failedOne;
  }
  return { kind: "storedBatch", events };
}

/**
 * A body that nobody reads here: its schema must allow a reference, `{"object", "mediaType", "size", "sha256"}`, which is
 * then the payload (contract §3). Without a schema nobody asked for one.
 */
async function deliverOpaque(
  about: Pick<Publication, "eventId" | "mediaType" | "isIdChosen">,
  request: ReceivedRequest,
  stages: RequestStages,
): Promise<RequestOutcome> {
  const { body, receivedAt, hook } = request;
  if (hook.options.schema === undefined) return { kind: "refused", cause: "media-type" };
  const mediaType = about.mediaType === "" ? "application/octet-stream" : about.mediaType;
  const sha256 = await hashInTurns(body);
  const message = { messageKey: about.eventId, receivedAt };
  const object = objectNameOf(message.messageKey, sha256, receivedAt);
  const payload = toJson({ object, mediaType, size: body.length, sha256 });
  const publication: Publication = { ...about, payload, files: [] };
  const failed = await schemaOutcome([publication], request, stages);
  if (failed !== undefined) return failed.kind === "refused" ? { kind: "refused", cause: "media-type" } : failed;
  const signal = stages.deadline();
  const stored = await stages.storeBytes(body, message, signal);
  return stored.kind === "tryLater" ? stored : publishRequest(publication, request, stages, signal);
}
