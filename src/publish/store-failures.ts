import type { TryLaterCause } from "../model/outcome.ts";

/** Something that was not stored although it was tried: its sender keeps it. */
export interface StoreFailure {
  readonly stream: string;
  readonly cause: TryLaterCause;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What the client or the server said. */
  readonly said: string;
}

/** The newest failure to store an event, a dead letter or an object. The rest of the program asks it; nothing waits for it. */
export class StoreFailures {
  readonly #now: () => number;
  #last: StoreFailure | undefined;
  #onFailure: ((failure: StoreFailure) => void) | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  get last(): StoreFailure | undefined {
    return this.#last;
  }

  note(stream: string, cause: TryLaterCause, error: unknown): void {
    const said = error instanceof Error ? error.message : "";
    this.#last = { stream, cause, at: this.#now(), said };
    this.#onFailure?.(this.#last);
  }

  /** Told of each from now on; one listener. */
  listen(onFailure: (failure: StoreFailure) => void): void {
    this.#onFailure = onFailure;
  }
}
