/** Places in the shared memory of a thread and the main side. */
const AT_HAND = 0;
const ALONE = 1;
const PLACES = 2;

/**
 * What a thread is at, in memory that both sides see, so that the main side can tell which mail of a batch holds it: a thread
 * that is busy answers no message.
 */
export class Progress {
  readonly memory: SharedArrayBuffer;
  readonly #places: Int32Array;

  constructor(memory = new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#places = new Int32Array(memory);
  }

  /** The work that the thread is at; 0 is none. */
  get atHand(): number {
    return Atomics.load(this.#places, AT_HAND);
  }

  /** The only work that still counts; 0 while all do. Set by the main side, taken back by the thread. */
  get alone(): number {
    return Atomics.load(this.#places, ALONE);
  }

  set alone(id: number) {
    Atomics.store(this.#places, ALONE, id);
  }

  /** Runs a step of the work `id`. */
  during<T>(id: number, step: () => T): T {
    const before = Atomics.exchange(this.#places, AT_HAND, id);
    try {
      return step();
    } finally {
      Atomics.store(this.#places, AT_HAND, before);
    }
  }

  /**
   * Runs a step of the work `id` that has pauses; meanwhile other works' steps may come and go. One at a time, or nobody
   * could tell whose the thread is.
   */
  async duringAll<T>(id: number, step: () => Promise<T>): Promise<T> {
    const before = Atomics.exchange(this.#places, AT_HAND, id);
    try {
      return await step();
    } finally {
      Atomics.store(this.#places, AT_HAND, before);
    }
  }
}
