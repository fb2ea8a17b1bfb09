import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4_096;

/** Random bytes, fetched many at once: asking the system for a few at a time costs more than what they are used for. */
export class RandomPool {
  readonly #pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  #used = POOL_BYTES;

  /** `count` bytes that nobody else gets, at most {@link POOL_BYTES}; to be used before the next call. */
  take(count: number): Uint8Array {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#used += count;
    return this.#pool.subarray(this.#used - count, this.#used);
  }
}
