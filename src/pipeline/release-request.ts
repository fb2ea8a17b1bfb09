import type { Hook } from "../model/hook.ts";
import type { EventId, RequestOutcome } from "../model/outcome.ts";
import type { RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import { bodyKindOf, parseBodyType } from "../parse/body-kind.ts";
import type { PublishStages } from "./publish-request.ts";
import { publishRequest } from "./publish-request.ts";
import type { ReceivedFile } from "./receive-files.ts";

/** `http` of a dead letter, as it was written. */
export interface DeadRequest {
  readonly method: string;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly headers: RequestHeaders;
  readonly remoteAddress: string;
  readonly mediaType: string | null;
  readonly files?: readonly ReceivedFile[];
}

/**
 * Publishes a request that was kept as a dead letter, because an administrator says that it is none: what quarantined it is
 * not asked again. Its event has the dead letter's id, so that a release that was cut off and done again makes one event.
 * Undefined when its body can no longer be read. Throws what the stages throw.
 */
export async function releaseRequest(
  dead: { readonly id: string; readonly time: string; readonly http: DeadRequest; readonly body: Uint8Array },
  hook: Hook,
  stages: PublishStages,
  signal: AbortSignal,
): Promise<RequestOutcome | undefined> {
  const { method, query, headers, remoteAddress, mediaType, files = [] } = dead.http;
  const type = parseBodyType(headerOf(headers, "content-type"));
  const kind = bodyKindOf(type.mediaType);
  // Of a multipart form the fields were kept, as JSON.
  const kept = kind === "multipart" ? { mediaType: "application/json", charset: "" } : type;
  const reading = await stages.readRequest({ hook, type: kept, headers, body: dead.body });
  if (reading.kind !== "form") return undefined;
  const { form } = reading;
  const parameters = Object.entries(query).flatMap(([name, values]) =>
    (typeof values === "string" ? [values] : values).map((value): [string, string] => [name, value]),
  );
  const request = {
    hook,
    method,
    query: new URLSearchParams(parameters).toString(),
    headers,
    remoteAddress,
    body: dead.body,
    receivedAt: Date.parse(dead.time),
    requestId: `replay ${dead.id}`,
  };
  const publication = {
    eventId: dead.id as EventId,
    payload: form.payload,
    mediaType: mediaType ?? "",
    files,
    isIdChosen: false,
  };
  return publishRequest(publication, request, stages, signal);
}
