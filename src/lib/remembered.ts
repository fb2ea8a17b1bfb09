import { makeRoom } from "./make-room.ts";

interface Kept<T> {
  readonly answer: Promise<T>;
  readonly askedAt: number;
  readonly until: number;
  isSettled: boolean;
}

/** Answers kept for a while, at most so many; the oldest go first. A promise that rejects is forgotten at once. */
export class Remembered<T> {
  readonly #most: number;
  readonly #answers = new Map<string, Kept<T>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The answer for `key`, asked for by `ask` when none is there or it is too old. */
  get(key: string, ask: () => Promise<T>, keepMs: number, now: number): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined && known.until > now) return known.answer;
    const answer = ask();
    const kept: Kept<T> = { answer, askedAt: now, until: now + keepMs, isSettled: false };
    this.#answers.delete(key);
    makeRoom(this.#answers, this.#most);
    this.#answers.set(key, kept);
    answer.then(
      () => (kept.isSettled = true),
      () => {
        if (this.#answers.get(key) === kept) this.#answers.delete(key);
      },
    );
    return answer;
  }

  /** For how many milliseconds the answer for `key` has been on its way; 0 when it is there, or nobody has asked. */
  pendingForMs(key: string, now: number): number {
    const known = this.#answers.get(key);
    return known === undefined || known.isSettled ? 0 : now - known.askedAt;
  }
}
