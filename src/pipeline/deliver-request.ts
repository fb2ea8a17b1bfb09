import type { Form } from "../engine/form-fields.ts";
import type { ReadPayload, RequestReading, RequestToRead } from "../engine/read-request.ts";
import { eventIdOf } from "../event/event-id.ts";
import { toJson } from "../event/json.ts";
import { objectNameOf } from "../event/object-name.ts";
import type { SchemaVerdict } from "../extract/schema.ts";
import { hashInTurns } from "../lib/hash-in-turns.ts";
import type { RequestOutcome, RequestProblem } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import { BodyProblem, headerOf } from "../model/request.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { parseBodyType } from "../parse/body-kind.ts";
import { captchaOutcome, checkSignature } from "./authenticate-request.ts";
import type { Content } from "./request-content.ts";
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
  const content = await contentOf(request, type, stages);
  if (content.kind === "no") return content.outcome;
  const covered = check.kind === "signed" ? { covered: check.covered } : {};
  const reading = await read(request, type, content, stages, covered);
  const { mediaType } = type;
  switch (reading.kind) {
    case "no":
    case "refused":
      return reading.outcome;
    case "opaque":
      return deliverOpaque({ ...withId(reading, stages), mediaType }, request, stages);
    case "events": {
      const publications = reading.events.map((event): Publication => ({
        ...withId(event, stages),
        payload: event.payload,
        mediaType,
        files: [],
        ...(event.attributes && { cloudevent: event.attributes }),
      }));
      return deliverEvents(publications, reading, request, stages);
    }
    case "form": {
      const { read: event } = reading;
      const publication = { ...withId(event, stages), payload: event.payload, mediaType, files: content.files };
      return checkAndPublish(publication, event.verdict, request, stages);
    }
  }
}

/** The body as an engine thread reads it, or why it could not be read by now. */
async function read(
  { hook, headers, body }: ReceivedRequest,
  type: BodyType,
  { fields }: Content & { readonly kind: "content" },
  stages: RequestStages,
  more: Pick<RequestToRead, "covered">,
): Promise<RequestReading | { readonly kind: "no"; readonly outcome: RequestOutcome }> {
  const bytes = fields === undefined ? body : NOTHING;
  const reading = await stages.readRequest({ hook, type, headers, body: bytes, ...(fields && { fields }), ...more });
  switch (reading.kind) {
    case "busy":
      return { kind: "no", outcome: { kind: "tryLater", cause: "busy" } };
    // Which of schema and payload takes so long nobody knows here; a payload is never thrown away for it.
    case "parse-timeout":
    case "too-slow":
    case "died":
      return { kind: "no", outcome: { kind: "tryLater", cause: "parse-slow" } };
    case "refused":
    case "opaque":
    case "events":
    case "form":
      return reading;
  }
}

const NOTHING = Buffer.alloc(0);

function withId(
  { eventId, isIdChosen }: Pick<ReadPayload, "eventId" | "isIdChosen">,
  stages: RequestStages,
): Pick<Publication, "eventId" | "isIdChosen"> {
  return { eventId: eventId ?? stages.newEventId(), isIdChosen };
}

async function deliverForm(request: ReceivedRequest, type: BodyType, stages: RequestStages): Promise<Delivered> {
  const { hook } = request;
  const content = await contentOf(request, type, stages);
  if (content.kind === "no") return content;
  const reading = await read(request, type, content, stages, {});
  const { mediaType } = type;
  if (reading.kind === "no" || reading.kind === "refused") return { outcome: reading.outcome };
  if (reading.kind === "events") throw new Error("a form has no CloudEvents");
  if (reading.kind === "opaque") {
    // No field of it can be read, so nobody has solved a captcha.
    const doubtful = await captchaOutcome(undefined, request, stages, stages.deadline());
    if (doubtful !== undefined) return { outcome: doubtful };
    return { outcome: await deliverOpaque({ ...withId(reading, stages), mediaType }, request, stages) };
  }
  const { files } = content;
  const { form } = reading;
  const next = form.next === undefined ? {} : { next: form.next };
  const publication = { eventId: formEventId(form, files, request, stages), payload: form.payload, files };
  const about = { ...publication, mediaType, isIdChosen: false };
  if (form.isTrapped || files.some(({ field }) => field === hook.options.honeypot)) {
    const reason = { code: "honeypot", detail: `The field ${hook.options.honeypot} was filled in` } as const;
    // What a release reads again: a multipart form's fields, for its files are stored already, or the body as it came.
    const raw = content.fields === undefined ? request.body : Buffer.from(form.payload);
    return { outcome: await deadLetterRequest(about, reason, raw, request, stages, stages.deadline()), ...next };
  }
  const doubtful = await captchaOutcome(form.captcha, request, stages, stages.deadline());
  if (doubtful !== undefined) {
    await stages.removeObjects(files.flatMap(({ object }) => object ?? []));
    return { outcome: doubtful };
  }
  return { outcome: await checkAndPublish(about, reading.read.verdict, request, stages), ...next };
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
  verdict: SchemaVerdict,
  request: ReceivedRequest,
  stages: RequestStages,
): Promise<RequestOutcome> {
  const failed = schemaOutcome([verdict], request);
  const outcome = failed ?? (await publishRequest(publication, request, stages, stages.deadline()));
  if (outcome.kind === "refused") await stages.removeObjects(publication.files.flatMap(({ object }) => object ?? []));
  return outcome;
}

/** Why payloads may not be published by the hook's schema; undefined when they may. */
function schemaOutcome(
  verdicts: readonly SchemaVerdict[],
  { hook }: ReceivedRequest,
  at = (_index: number) => "",
): RequestOutcome | undefined {
  const problems: RequestProblem[] = [];
  for (const [index, verdict] of verdicts.entries()) {
    if (verdict.kind === "unusable") {
      const error = new Error(`the schema of ${hook.eventName} cannot be used: ${verdict.why}`);
      return { kind: "tryLater", cause: "setting-wrong", error };
    }
    if (verdict.kind === "fails")
      problems.push(...verdict.problems.map(({ pointer, message }) => ({ pointer: at(index) + pointer, message })));
  }
  return problems.length === 0 ? undefined : { kind: "refused", cause: "schema-failed", problems };
}

/** One event, or a batch that is answered 202 only when all are stored; a retry stores only the rest. */
async function deliverEvents(
  publications: readonly Publication[],
  { events: read, isBatch }: RequestReading & { readonly kind: "events" },
  request: ReceivedRequest,
  stages: RequestStages,
): Promise<RequestOutcome> {
  const verdicts = read.map(({ verdict }) => verdict);
  const failed = schemaOutcome(verdicts, request, (index) => (isBatch ? `/${index}` : ""));
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
  const verdict = await stages.checkSchema(hook.options.schema, payload);
  if (verdict.kind === "busy") return { kind: "tryLater", cause: "busy" };
  if (verdict.kind === "parse-timeout" || verdict.kind === "too-slow" || verdict.kind === "died")
    return { kind: "tryLater", cause: "parse-slow" };
  const failed = schemaOutcome([verdict], request);
  if (failed !== undefined) return failed.kind === "refused" ? { kind: "refused", cause: "media-type" } : failed;
  const signal = stages.deadline();
  const stored = await stages.storeBytes(body, message, signal);
  return stored.kind === "tryLater" ? stored : publishRequest(publication, request, stages, signal);
}
