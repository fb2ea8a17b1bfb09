/** From here on a mail lies in shared memory: copying it to a worker would cost more than the slower access. */
const SHARED_FROM_BYTES = 64 * 1024;
const FIRST_BLOCK_BYTES = 8 * 1024;
const GROWTH = 8;
const EMPTY = Buffer.alloc(0);

/**
 * The bytes of a mail as they come in, copied into one block: a client that sends a byte at a time, or a dot on every line,
 * must not cost an object for each.
 *
 * The block has the size that the client announced (RFC 1870). Past it, or where none was announced, it grows eightfold at a
 * time, so that of a large mail an eighth at most is ever held twice. Room to grow costs nothing: memory which is not written
 * to is not there.
 */
export class MailBytes {
  readonly #announcedBytes: number;
  readonly #maxBytes: number;
  #block: Buffer = EMPTY;
  #size = 0;

  /** More than `maxBytes` is never added. */
  constructor(announcedBytes: number, maxBytes: number) {
    this.#announcedBytes = Math.min(announcedBytes, maxBytes);
    this.#maxBytes = maxBytes;
  }

  add(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#block.length) this.#grow(size);
    bytes.copy(this.#block, this.#size);
    this.#size = size;
  }

  /** The mail in one piece. */
  whole(): Uint8Array {
    return this.#block.subarray(0, this.#size);
  }

  #grow(size: number): void {
    const length = this.#lengthFor(size);
    const block =
      length > SHARED_FROM_BYTES ? Buffer.from(new SharedArrayBuffer(length)) : Buffer.allocUnsafeSlow(length);
    this.#block.copy(block, 0, 0, this.#size);
    this.#block = block;
  }

  #lengthFor(size: number): number {
    if (size <= this.#announcedBytes) return this.#announcedBytes;
    const more = GROWTH * Math.max(this.#block.length, FIRST_BLOCK_BYTES / GROWTH);
    return Math.max(size, Math.min(more, size > SHARED_FROM_BYTES ? this.#maxBytes : SHARED_FROM_BYTES));
  }
}
