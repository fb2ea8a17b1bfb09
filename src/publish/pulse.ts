/** How long to wait between two questions whether storage answers again, in milliseconds. */
const PROBE_PAUSE_MS = 250;

/**
 * Whether storage answers at all: a circuit breaker for what depends on an ack.
 *
 * A try without an ack opens it, and while it is open a relay hears 451 at MAIL instead of sending 25 MB for nothing. It
 * closes by itself with the first ack, or when `probe` succeeds, which is asked again and again until then: recovery
 * needs no restart and no mail that dares to go first.
 *
 * Source: M. Nygard, "Release It!", ch. 5 "Circuit Breaker".
 */
export class Pulse {
  readonly #probe: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #silent = false;
  #closed = false;

  /** `probe` answers whether storage answers; it never throws and always ends. */
  constructor(probe: () => Promise<boolean>) {
    this.#probe = probe;
  }

  /** No ack came in time, and nothing was heard since. */
  get isSilent(): boolean {
    return this.#silent;
  }

  /** An ack came. */
  heard(): void {
    this.#silent = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A try ended without an ack. */
  missed(): void {
    if (this.#silent || this.#closed) return;
    this.#silent = true;
    this.#ask();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #ask(): void {
    this.#timer = setTimeout(() => {
      this.#probe().then(
        (answers) => {
          if (this.#closed || !this.#silent) return;
          if (answers) this.heard();
          else this.#ask();
        },
        () => this.#ask(),
      );
    }, PROBE_PAUSE_MS);
  }
}
