import type { IncomingMessage } from "node:http";

import { within } from "../../lib/within.ts";
import { BodyProblem } from "../../model/request.ts";

/**
 * A body as it arrives, counted. Reading on asks the sender for more, so that a slow reader holds the sender back.
 *
 * The request stays open when the reader stops early: its answer has still to go out.
 */
export async function* streamBodyOf(
  request: IncomingMessage,
  limits: { readonly maxBytes: number; readonly idleMs: number; readonly onBytes: (size: number) => void },
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  let size = 0;
  let isWaiting = false;
  try {
    for (;;) {
      isWaiting = true;
      const next = await nextOf(chunks, limits.idleMs);
      isWaiting = false;
      if (next.done === true) return;
      const chunk = next.value as Buffer;
      size += chunk.length;
      limits.onBytes(size);
      if (size > limits.maxBytes) throw new BodyProblem("too-large");
      yield chunk;
    }
  } finally {
    // Lets go of the request, so that what is left can be read past the answer; behind a read that never ends it cannot.
    if (!isWaiting) await chunks.return?.();
  }
}

async function nextOf(chunks: AsyncIterator<unknown>, idleMs: number): Promise<IteratorResult<unknown, unknown>> {
  try {
    const next = await within(chunks.next(), idleMs);
    if (next === undefined) throw new BodyProblem("idle");
    return next;
  } catch (error) {
    throw error instanceof BodyProblem ? error : new BodyProblem("gone", { cause: error });
  }
}
