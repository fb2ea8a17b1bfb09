import { buildEvent } from "../event/build-event.ts";
import { buildDeadLetter } from "../event/dead-letter.ts";
import type { CloudEventAttribute } from "../event/http-json.ts";
import { httpJson } from "../event/http-json.ts";
import { arrayOf, objectOf, toCutJson } from "../event/json.ts";
import type { CutHookIds } from "../model/cut-hook-ids.ts";
import { hookIdCutter } from "../model/cut-hook-ids.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { JsonText } from "../model/mail.ts";
import type { EventId, RequestOutcome } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import { parseTraceparent } from "../telemetry/trace-context.ts";
import type { ReceivedFile } from "./receive-files.ts";
import type { RequestStages } from "./request-stages.ts";
import { withStoredData } from "./with-stored-data.ts";

/** What shall be stored for one request. */
export interface Publication {
  readonly eventId: EventId;
  readonly payload: JsonText;
  /** Lower case, "" when the sender named none. */
  readonly mediaType: string;
  readonly files: readonly ReceivedFile[];
  /** The attributes of a CloudEvent that came in. */
  readonly cloudevent?: readonly CloudEventAttribute[];
  /** The sender chose the id: the same one with another payload is its mistake. */
  readonly isIdChosen: boolean;
}

/** The stages that publishing needs. */
export type PublishStages = Pick<
  RequestStages,
  "storeBytes" | "readRequest" | "publishEvent" | "newTraceparent" | "maxEventBytes" | "objectBucket" | "schemaSha256Of"
> &
  Partial<Pick<RequestStages, "storedData">>;

/** Objects first, then the event; the outcome is what the ack said. */
export async function publishRequest(
  publication: Publication,
  request: ReceivedRequest,
  stages: PublishStages,
  signal: AbortSignal,
): Promise<RequestOutcome> {
  const { hook, receivedAt } = request;
  const { eventId, payload, files } = publication;
  const cut = hookIdCutter([hook.hookId]);
  const schemaSha256 = stages.schemaSha256Of(hook);
  const event = buildEvent(
    {
      eventId,
      hook,
      subject: null,
      cut,
      receivedAt,
      traceparent: stages.newTraceparent(parseTraceparent(headerOf(request.headers, "traceparent"))),
      ...(schemaSha256 !== undefined && { schemaSha256 }),
    },
    objectOf([
      ["payload", payload],
      ["http", httpOf(publication, request, cut)],
      ["files", hook.type === "form" || files.length > 0 ? filesJson(files, cut) : undefined],
    ]),
    { maxBytes: stages.maxEventBytes, bucket: stages.objectBucket },
  );
  const fitting = await withStoredData(event, stages, receivedAt, signal);
  if ("kind" in fitting) return fitting;
  const { outcome, sequence } = await stages.publishEvent(fitting, signal);
  if (outcome.kind === "refused") throw new Error("a publish was refused, which only doors do");
  if (outcome.kind !== "stored" || !outcome.duplicate || !publication.isIdChosen || sequence === undefined)
    return outcome;
  const first = await stages.storedData?.(sequence);
  // `data` begins with the payload; the header fields behind it may differ from try to try.
  const isSame = first === undefined || first.startsWith(`{"payload":${payload},"http":`);
  return isSame ? outcome : { kind: "refused", cause: "id-reused" };
}

/** Keeps a request as a dead letter, its payload beside it so that it can be run again. */
export async function deadLetterRequest(
  publication: Publication,
  reason: DeadLetterReason,
  raw: Uint8Array,
  request: ReceivedRequest,
  stages: RequestStages,
  signal: AbortSignal,
): Promise<RequestOutcome> {
  const { hook, receivedAt } = request;
  const object = await stages.storeBytes(raw, { messageKey: publication.eventId, receivedAt }, signal);
  const cut = hookIdCutter([hook.hookId]);
  if (object.kind === "tryLater") return object;
  const letter = buildDeadLetter(
    {
      eventId: publication.eventId,
      app: hook.app,
      eventName: hook.eventName,
      displayEventName: hook.displayEventName,
      hooktype: hook.type,
      receivedAt,
      reason,
      object: object.name,
      cut,
    },
    { http: withFiles(httpOf(publication, request, cut), publication.files, cut) },
  );
  const { outcome } = await stages.publishDeadLetter(letter, signal);
  if (outcome.kind === "refused") throw new Error("a publish was refused, which only doors do");
  return outcome;
}

function httpOf({ mediaType, cloudevent }: Publication, request: ReceivedRequest, cut: CutHookIds): JsonText {
  const { method, query, headers, remoteAddress } = request;
  return httpJson({
    cut,
    method,
    query,
    headers,
    remoteAddress,
    mediaType,
    ...(cloudevent && { cloudevent }),
  });
}

/** A dead letter has no `data`: what a form brought beside its fields stands in its `http`. */
function withFiles(http: JsonText, files: readonly ReceivedFile[], cut: CutHookIds): JsonText {
  return files.length === 0 ? http : (`${http.slice(0, -1)},"files":${filesJson(files, cut)}}` as JsonText);
}

function filesJson(files: readonly ReceivedFile[], cut: CutHookIds): JsonText {
  return arrayOf(
    files.map(({ field, filename, mediaType, size, sha256, object }) =>
      toCutJson({ field, filename, mediaType, size, sha256, object }, cut),
    ),
  );
}
