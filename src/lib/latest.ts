/**
 * The values that were set last: at least `count` of them, at most twice as many.
 *
 * Two maps of which the older one is dropped whole: taking the oldest key out of one map, time after time, makes it walk
 * over all that were taken out before.
 */
export class Latest<T> {
  readonly #count: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(count: number) {
    this.#count = count;
  }

  get(key: string): T | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: T): void {
    if (this.#young.size >= this.#count) this.turn();
    this.#young.set(key, value);
  }

  /** Forgets what was there at the turn before, and keeps what was set since then until the next. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}
