/**
 * Replies to what a relay pipelines as one group, MAIL, RCPT and DATA, in one write (RFC 2920 §3.2): until DATA's answer,
 * or until the event loop has run what came with this read.
 */
export class HeldReplies {
  readonly #write: (lines: string) => void;
  #lines = "";
  #isHolding = false;
  #isScheduled = false;

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  /** What is added from now on waits, for this turn of the event loop at most. */
  hold(): void {
    this.#isHolding = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.release();
    });
  }

  /** What is added from now on waits for `release()`, which the caller calls before it returns. */
  collect(): void {
    this.#isHolding = true;
  }

  /** Takes a line with its end. */
  add(line: string): void {
    if (this.#isHolding) this.#lines += line;
    else this.#write(line);
  }

  release(): void {
    this.#isHolding = false;
    const lines = this.#lines;
    if (lines === "") return;
    this.#lines = "";
    this.#write(lines);
  }
}
