/** From here on a mail lies in shared memory: copying it to a worker would cost more than the slower access. */
const SHARED_FROM_BYTES = 64 * 1024;
const FIRST_BLOCK_BYTES = 8 * 1024;
const LARGEST_BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * The bytes of a mail as they come in, copied into a few blocks: a client that sends a byte at a time, or a dot on every
 * line, must not cost an object for each.
 *
 * With the size that the client announced (RFC 1870) there is one block from the start, so that a large mail is never
 * held twice. Announcing costs nothing: memory that is not written to is not there.
 */
export class MailBytes {
  readonly #announced: number;
  #full: Buffer[] = [];
  #block: Buffer | undefined;
  #used = 0;
  #size = 0;

  constructor(announcedBytes: number) {
    this.#announced = announcedBytes;
  }

  add(bytes: Buffer): void {
    for (let from = 0; from < bytes.length;) {
      const block = this.#roomyBlock(bytes.length - from);
      const copied = bytes.copy(block, this.#used, from);
      from += copied;
      this.#used += copied;
      this.#size += copied;
    }
  }

  /** The mail in one piece. */
  whole(): Uint8Array {
    if (this.#block === undefined) return Buffer.alloc(0);
    const last = this.#block.subarray(0, this.#used);
    if (this.#full.length === 0 && (this.#isShared || this.#size <= SHARED_FROM_BYTES)) return last;
    const whole =
      this.#size > SHARED_FROM_BYTES
        ? Buffer.from(new SharedArrayBuffer(this.#size))
        : Buffer.allocUnsafeSlow(this.#size);
    let offset = 0;
    for (const block of this.#full) offset += block.copy(whole, offset);
    last.copy(whole, offset);
    return whole;
  }

  get #isShared(): boolean {
    return this.#announced > SHARED_FROM_BYTES;
  }

  #roomyBlock(wanted: number): Buffer {
    if (this.#block !== undefined) {
      if (this.#used < this.#block.length) return this.#block;
      this.#full.push(this.#block);
    }
    this.#used = 0;
    this.#block =
      this.#full.length === 0 && this.#isShared
        ? Buffer.from(new SharedArrayBuffer(this.#announced))
        : Buffer.allocUnsafeSlow(this.#nextLength(wanted));
    return this.#block;
  }

  /** As much as came so far, so that a mail has a handful of blocks however it arrives. */
  #nextLength(wanted: number): number {
    const atLeast = Math.max(FIRST_BLOCK_BYTES, this.#size, this.#size === 0 ? this.#announced : 0);
    return Math.max(wanted, Math.min(LARGEST_BLOCK_BYTES, atLeast));
  }
}
