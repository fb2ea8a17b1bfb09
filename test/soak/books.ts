/** One thing that was sent and answered with "stored", and what it must be found by. */
interface Accepted {
  readonly eventId: string;
  readonly at: number;
}

/** What was sent and what was answered: the soak's own books, which know nothing of NATS. */
export class Books {
  /** Everything that was ever sent, by its number. */
  sent = 0;
  readonly accepted = new Map<number, Accepted>();
  /** Answers that no sender of good mail may hear. */
  readonly wrong: string[] = [];
  /** The answers and ends that made a sender try again, and how often. */
  readonly postponed = new Map<string, number>();
  /** Milliseconds from the end of the mail or request to its answer. */
  readonly latencies: number[] = [];
  readonly #waiting = new Set<{ readonly door: string | undefined; readonly done: (at: number) => void }>();

  /** The number of the next mail or request. */
  nextNumber(): number {
    this.sent += 1;
    return this.sent;
  }

  accept(number: number, eventId: string, tookMs: number, door: string): void {
    const before = this.accepted.get(number);
    if (before !== undefined && before.eventId !== eventId)
      this.wrong.push(`${number} was answered with ${before.eventId} and with ${eventId}`);
    const at = performance.now();
    this.accepted.set(number, before ?? { eventId, at });
    this.latencies.push(tookMs);
    for (const waiting of this.#waiting)
      if (waiting.door === undefined || waiting.door === door) {
        this.#waiting.delete(waiting);
        waiting.done(at);
      }
  }

  postpone(why: string): void {
    this.postponed.set(why, (this.postponed.get(why) ?? 0) + 1);
  }

  /** When something is accepted for the next time, at one door or at any; `undefined` when nothing is in `patienceMs`. */
  nextAccepted(door: string | undefined, patienceMs: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      const waiting = {
        door,
        done: (at: number) => {
          clearTimeout(timer);
          resolve(at);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        resolve(undefined);
      }, patienceMs);
      this.#waiting.add(waiting);
    });
  }
}
