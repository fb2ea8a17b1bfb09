import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Lets go of large mails that a thread, or the main one, is done with.
 *
 * Their memory is shared, and free only when all threads have collected what referred to it. V8 (13.6) does not count
 * shared memory, so a thread whose own heap hardly grows would keep one mail of 25 MB after the other.
 */
export class SharedGarbage {
  readonly #maxBytes: number;
  #bytes = 0;
  #collect: (() => void) | undefined;

  /** So many bytes of mails may stay in memory. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts a mail that is done with, if it is shared; collects, once its answer is out, when there are many bytes of them. */
  add(bytes: Uint8Array): void {
    if (!(bytes.buffer instanceof SharedArrayBuffer)) return;
    this.#bytes += bytes.length;
    if (this.#bytes < this.#maxBytes) return;
    this.#bytes = 0;
    this.#collect ??= collector();
    setImmediate(this.#collect);
  }
}

/** Collects this thread's garbage. A context made under this flag has the function; the flag changes nothing else. */
export function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
