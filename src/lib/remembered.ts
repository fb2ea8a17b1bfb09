/** Answers kept for a while, at most so many; the oldest go first. A promise that rejects is forgotten at once. */
export class Remembered<T> {
  readonly #most: number;
  readonly #answers = new Map<string, { readonly answer: Promise<T>; readonly until: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The answer for `key`, asked for by `ask` when none is there or it is too old. */
  get(key: string, ask: () => Promise<T>, keepMs: number, now: number): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined && known.until > now) return known.answer;
    const answer = ask();
    const kept = { answer, until: now + keepMs };
    this.#answers.delete(key);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= this.#most && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(key, kept);
    answer.catch(() => {
      if (this.#answers.get(key) === kept) this.#answers.delete(key);
    });
    return answer;
  }
}
