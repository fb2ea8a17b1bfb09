import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Mails that a thread has read may stay in memory up to this many bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Lets go of large mails that a thread has read.
 *
 * Their memory is shared with the main thread and free only when both have collected what referred to it. V8 (13.6) does not
 * count shared memory, so a thread whose own heap hardly grows would keep one mail of 25 MB after the other.
 */
export class SharedGarbage {
  #bytes = 0;
  #collect: (() => void) | undefined;

  /** Counts a mail that was read, if it is shared; collects, once its answer is out, when there are many bytes of them. */
  add(bytes: Uint8Array): void {
    if (bytes.buffer instanceof SharedArrayBuffer) this.#bytes += bytes.length;
    if (this.#bytes < MAX_BYTES) return;
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
