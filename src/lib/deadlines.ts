/** Deliveries that begin within so many milliseconds share one signal. */
export const SLICE_MS = 100;

/**
 * Signals that abort when a delivery has taken `forMs`, {@link SLICE_MS} later at most, or when `stopping` aborts.
 *
 * A signal with a timer for each mail or request costs more than some of its stages, so those that begin together end together.
 * Controllers of our own: `AbortSignal.any` over a timeout forgets its abort when a big collection comes between the timer
 * and the first look at it (Node 24.21, nodejs/node#65995).
 */
export class Deadlines {
  readonly #forMs: number;
  readonly #stopping: AbortSignal | undefined;
  readonly #running = new Set<AbortController>();
  #newest: AbortController | undefined;
  #sharedUntil = 0;

  constructor(forMs: number, stopping?: AbortSignal) {
    this.#forMs = forMs;
    this.#stopping = stopping;
    stopping?.addEventListener("abort", () => {
      for (const controller of this.#running) controller.abort(stopping.reason);
    });
  }

  /** The signal for a delivery that begins now. */
  next(): AbortSignal {
    const now = performance.now();
    if (this.#newest === undefined || now >= this.#sharedUntil) {
      this.#newest = this.#begin();
      this.#sharedUntil = now + SLICE_MS;
    }
    return this.#newest.signal;
  }

  #begin(): AbortController {
    const controller = new AbortController();
    if (this.#stopping?.aborted === true) controller.abort(this.#stopping.reason);
    else {
      this.#running.add(controller);
      setTimeout(() => {
        this.#running.delete(controller);
        controller.abort(new DOMException("The delivery took too long", "TimeoutError"));
      }, this.#forMs + SLICE_MS).unref();
    }
    return controller;
  }
}
