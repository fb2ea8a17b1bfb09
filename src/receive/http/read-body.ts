import type { IncomingMessage } from "node:http";

import type { Budget } from "../../lib/budget.ts";

/** What came of reading a body. */
export type ReadBody =
  | { readonly kind: "body"; readonly bytes: Buffer }
  | { readonly kind: "too-large" }
  | { readonly kind: "busy" }
  /** Nothing heard for too long. */
  | { readonly kind: "idle" }
  /** The sender went away in the middle: nobody is there to answer. */
  | { readonly kind: "gone" };

export interface ReadLimits {
  readonly maxBytes: number;
  readonly idleMs: number;
  /** Bytes of bodies in memory, over all requests. */
  readonly inFlight: Budget;
}

const EMPTY = Buffer.alloc(0);

/**
 * Reads a body whole, counting while it arrives: never more than `maxBytes` of it are kept. The bytes stay counted in
 * `inFlight` until the caller gives them back. Never throws.
 *
 * Bare listeners and not `for await`, which costs more than the whole of a small request: the sum is bounded, so nothing
 * needs to be held back.
 */
export function readBodyOf(request: IncomingMessage, limits: ReadLimits): Promise<ReadBody> {
  if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined)
    return Promise.resolve({ kind: "body", bytes: EMPTY });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (result: ReadBody) => {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      if (result.kind !== "body") limits.inFlight.give(size);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      if (size + chunk.length > limits.maxBytes) return end({ kind: "too-large" });
      if (!limits.inFlight.tryTake(chunk.length)) return end({ kind: "busy" });
      size += chunk.length;
      chunks.push(chunk);
      timer.refresh();
    };
    const onEnd = () => {
      const [first = EMPTY] = chunks;
      end({ kind: "body", bytes: chunks.length <= 1 ? first : Buffer.concat(chunks, size) });
    };
    const onClose = () => end({ kind: "gone" });
    const timer = setTimeout(() => end({ kind: "idle" }), limits.idleMs);
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}
