/** Deliveries that begin within so many milliseconds share one signal. */
export const SLICE_MS = 100;

/**
 * Signals that abort when a delivery has taken `forMs`, {@link SLICE_MS} later at most, or when `stopping` aborts.
 *
 * A signal with a timer for each mail or request costs more than some of its stages, so those that begin together end together.
 */
export class Deadlines {
  readonly #forMs: number;
  readonly #stopping: readonly AbortSignal[];
  #signal: AbortSignal | undefined;
  #sharedUntil = 0;

  constructor(forMs: number, ...stopping: readonly AbortSignal[]) {
    this.#forMs = forMs;
    this.#stopping = stopping;
  }

  /** The signal for a delivery that begins now. */
  next(): AbortSignal {
    const now = performance.now();
    if (this.#signal === undefined || now >= this.#sharedUntil) {
      this.#signal = AbortSignal.any([...this.#stopping, AbortSignal.timeout(this.#forMs + SLICE_MS)]);
      this.#sharedUntil = now + SLICE_MS;
    }
    return this.#signal;
  }
}
