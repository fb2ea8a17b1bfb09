import { BODY_LIMITS } from "../engine/budgets.ts";
import type { RequestOutcome } from "../model/outcome.ts";
import type { ReceivedRequest } from "../model/request.ts";
import { headerOf } from "../model/request.ts";
import type { FormField } from "../parse/body-fields.ts";
import type { BodyType } from "../parse/body-kind.ts";
import { bodyKindOf } from "../parse/body-kind.ts";
import { boundaryOf } from "../parse/body-multipart.ts";
import type { MultipartReading, ReceivedFile } from "./receive-files.ts";
import { receiveFiles } from "./receive-files.ts";
import type { RequestStages } from "./request-stages.ts";

/** What a multipart form brought: fields, and files that stand in the Object Store already. */
export type Content =
  | {
      readonly kind: "content";
      /** Undefined when the body is no multipart form: it is read as a whole. */
      readonly fields: readonly FormField[] | undefined;
      readonly files: readonly ReceivedFile[];
    }
  | { readonly kind: "no"; readonly outcome: RequestOutcome };

const MAX_FILES = 100;
const NO_FORM: Content = { kind: "content", fields: undefined, files: [] };

/** Reads a multipart form while it arrives; any other body is whole by now. Throws `BodyProblem`. */
export async function contentOf(request: ReceivedRequest, type: BodyType, stages: RequestStages): Promise<Content> {
  const { body, stream, receivedAt, hook } = request;
  if (bodyKindOf(type.mediaType) !== "multipart") return NO_FORM;
  const boundary = boundaryOf(headerOf(request.headers, "content-type"));
  if (boundary === undefined) return no("malformed", "The multipart form names no boundary");
  const limits = { fields: BODY_LIMITS.fields, files: MAX_FILES, fieldBytes: stages.maxFieldBytes };
  const sink = hook.options.attachments === "drop" ? undefined : stages;
  const reading = await receiveFiles(stream ?? once(body), boundary, { limits, receivedAt, sink }, (names) =>
    stages.removeObjects(names),
  );
  return fromMultipart(reading);
}

function fromMultipart(reading: MultipartReading): Content {
  switch (reading.kind) {
    case "form":
      return { kind: "content", fields: reading.fields, files: reading.files };
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
