/** Work that outlives its caller: it has a name, its failure is reported, and shutdown waits for it. */
export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: (name: string, error: unknown) => void;

  constructor(onFailure: (name: string, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Starts `work` and looks after it. */
  run(name: string, work: () => Promise<unknown>): void {
    const task = work()
      .catch((error: unknown) => this.#onFailure(name, error))
      .then(() => {
        this.#running.delete(task);
      });
    this.#running.add(task);
  }

  /** Resolves when everything that was started has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
