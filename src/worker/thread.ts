import { parentPort } from "node:worker_threads";

import { checkSchema } from "../extract/schema.ts";
import type { ReadRequest, ReadResponse, SchemaRequest } from "./messages.ts";
import type { MailReading } from "./read-mail.ts";
import { readMail } from "./read-mail.ts";

// The worker side of the pool: one request, one response, in turn. The pool kills it when it is late.
const port = parentPort;
if (port === null) throw new Error("thread.ts is started by the worker pool");

answer({ kind: "ready" }, []);
port.on("message", (request: ReadRequest | SchemaRequest) => {
  answerTo(request).then(
    (response) => answer(response, response.kind === "reading" ? transferable(response.reading) : []),
    (error: unknown) =>
      answer({ kind: "threw", error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, []),
  );
});

async function answerTo(request: ReadRequest | SchemaRequest): Promise<ReadResponse> {
  return "schema" in request
    ? { kind: "verdict", verdict: await checkSchema(request.schema, request.payload) }
    : { kind: "reading", reading: await readMail(request.bytes, request.wishes, request.limits) };
}

function answer(response: ReadResponse, transfer: ArrayBuffer[]): void {
  port?.postMessage(response, transfer);
}

/** Buffers that only the reading refers to move to the main thread instead of being copied: decoded attachments. */
function transferable(reading: MailReading): ArrayBuffer[] {
  if (reading.kind !== "read") return [];
  const buffers = new Set<ArrayBuffer>();
  for (const { bytes } of reading.summary.attachments) {
    // Small buffers may be slices of a shared pool; a slice of the mail itself is shared memory already.
    if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) buffers.add(bytes.buffer);
  }
  return [...buffers];
}
