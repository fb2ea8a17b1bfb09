import type { JsonText } from "../model/mail.ts";
import type { RequestOutcome } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import type { FormField } from "../parse/body-fields.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { bodyKindOf } from "../parse/body-kind.ts";
import { boundaryOf } from "../parse/body-multipart.ts";
import type { MultipartReading, ReceivedFile } from "./receive-files.ts";
import { receiveFiles } from "./receive-files.ts";
import { BODY_LIMITS, readBody } from "./request-payload.ts";
import type { RequestStages } from "./request-stages.ts";

/** What a request brought: fields of a form or a JSON text, and files that stand in the Object Store already. */
export type Content =
  | {
      readonly kind: "content";
      readonly body: readonly FormField[] | JsonText;
      readonly files: readonly ReceivedFile[];
    }
  | { readonly kind: "opaque" }
  | { readonly kind: "no"; readonly outcome: RequestOutcome };

const MAX_FILES = 100;

/** Reads a request's body by its media type, multipart ones while they arrive. Throws `BodyProblem`. */
export async function contentOf(request: ReceivedRequest, type: BodyType, stages: RequestStages): Promise<Content> {
  const { body, stream, receivedAt, hook } = request;
  if (bodyKindOf(type.mediaType) === "multipart") {
    const boundary = boundaryOf(headerOf(request.headers, "content-type"));
    if (boundary === undefined) return no("malformed", "The multipart form names no boundary");
    const limits = { fields: BODY_LIMITS.fields, files: MAX_FILES, fieldBytes: stages.maxFieldBytes };
    const sink = hook.options.attachments === "drop" ? undefined : stages;
    const reading = await receiveFiles(stream ?? once(body), boundary, { limits, receivedAt, sink }, (names) =>
      stages.removeObjects(names),
    );
    return fromMultipart(reading);
  }
  const reading = readBody(body, type);
  switch (reading.kind) {
    case "payload":
      return { kind: "content", body: reading.payload, files: [] };
    case "fields":
      return { kind: "content", body: reading.fields, files: [] };
    case "opaque":
      return reading;
    case "refused":
      return { kind: "no", outcome: reading.outcome };
  }
}

function fromMultipart(reading: MultipartReading): Content {
  switch (reading.kind) {
    case "form":
      return { kind: "content", body: reading.fields, files: reading.files };
    case "malformed":
    case "too-large":
      return no(reading.kind, reading.detail);
    case "tryLater":
      return { kind: "no", outcome: reading };
  }
}

const no = (cause: "malformed" | "too-large", detail: string): Content => ({
  kind: "no",
  outcome: { kind: "refused", cause, detail },
});

async function* once(bytes: Uint8Array): AsyncGenerator<Buffer, void, undefined> {
  if (bytes.length > 0) yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
