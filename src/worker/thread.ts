import { hash } from "node:crypto";
import { flushCompileCache } from "node:module";
import { parentPort } from "node:worker_threads";

import { checkSchema } from "../extract/schema.ts";
import { LoadError } from "../lib/load-late.ts";
import { SharedGarbage } from "./shared-garbage.ts";
import type { ReadResponse, ThreadRequest } from "./messages.ts";
import type { MailReading } from "./read-mail.ts";
import { readMail } from "./read-mail.ts";
import { standBack } from "./stand-back.ts";

// The worker side of the pool: one request, one response, in turn. The pool kills it when it is late.
const port = parentPort;
if (port === null) throw new Error("thread.ts is started by the worker pool");

const MAX_READ_BYTES = 16 * 1024 * 1024;
const KEEP_CODE_AFTER_MS = 2_000;
const garbage = new SharedGarbage(MAX_READ_BYTES);
standBack();
answer({ kind: "ready" }, []);
// Node would keep the compiled code at an orderly end only; without it the next start makes it again in each thread.
setTimeout(flushCompileCache, KEEP_CODE_AFTER_MS).unref();
port.on("message", (request: ThreadRequest) => {
  answerTo(request).then(
    (response) => answer(response, response.kind === "reading" ? transferable(response.reading) : []),
    (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      answer({ kind: error instanceof LoadError ? "unloaded" : "threw", error: text }, []);
    },
  );
});

async function answerTo(request: ThreadRequest): Promise<ReadResponse> {
  if ("schema" in request) return { kind: "verdict", verdict: await checkSchema(request.schema, request.payload) };
  if ("hashed" in request) {
    const sha256 = hash("sha256", request.hashed, "hex");
    garbage.add(request.hashed);
    return { kind: "hash", sha256 };
  }
  const { bytes, wishes, limits } = request;
  const reading = await readMail(bytes, wishes, limits);
  garbage.add(bytes);
  return { kind: "reading", reading };
}

function answer(response: ReadResponse, transfer: ArrayBuffer[]): void {
  port?.postMessage(response, transfer);
}

/**
 * Buffers that only the reading refers to move to the main thread instead of being copied: decoded attachments, or a mail that
 * came as a copy. A view would be copied with all that lies around it.
 */
function transferable(reading: MailReading): ArrayBuffer[] {
  if (reading.kind !== "read") return [];
  const buffers = new Set<ArrayBuffer>();
  for (const { bytes } of reading.summary.attachments) {
    // Small buffers lie in the pool that all of a thread share; shared memory is there already.
    if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength > Buffer.poolSize) buffers.add(bytes.buffer);
  }
  return [...buffers];
}
