/**
 * A bounded number of places, and a bounded number that wait for one.
 *
 * Every queue has a bound: when the waiting room is full too, `tryEnter` and `enter` say so at once, because the
 * sender's disk is the queue and our memory is not.
 */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #maxWaiting: number;

  constructor(places: number, maxWaiting: number) {
    this.#free = places;
    this.#maxWaiting = maxWaiting;
  }

  /** How many wait for a place now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** A place, or `undefined` at once when none is free. */
  tryEnter(): Disposable | undefined {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    return this.#place();
  }

  /** A place, first come first served; `undefined` when too many wait already. */
  async enter(): Promise<Disposable | undefined> {
    const place = this.tryEnter();
    if (place !== undefined || this.#waiting.length >= this.#maxWaiting) return place;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#place();
  }

  #place(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
      },
    };
  }
}
