import type { BytesRef } from "./messages.ts";

const CHUNK_BYTES = 64 * 1024;
/** A UTF-16 unit takes three bytes of UTF-8 at most. */
const BYTES_A_UNIT = 3;

/** Gathers the bytes of many answers in few buffers that can be transferred. */
export class ByteChunks {
  #chunks: ArrayBuffer[] = [];
  #open: Buffer | undefined;
  #openIndex = 0;
  #used = 0;

  /** The text as UTF-8. */
  text(text: string): BytesRef {
    const most = text.length * BYTES_A_UNIT;
    const room = this.#roomFor(most <= CHUNK_BYTES ? most : Buffer.byteLength(text));
    const written = room.write(text, this.#used, "utf8");
    return this.#taken(written);
  }

  /** `bytes`, as a place in the mail where they are part of it: those the other side has. */
  bytes(bytes: Uint8Array, mail: Uint8Array): BytesRef {
    if (bytes.buffer === mail.buffer && bytes.byteOffset >= mail.byteOffset)
      return [-1, bytes.byteOffset - mail.byteOffset, bytes.length];
    if (bytes.buffer instanceof ArrayBuffer && bytes.length > CHUNK_BYTES && bytes.length === bytes.buffer.byteLength) {
      // Nobody else refers to it: moved instead of copied.
      this.#chunks.push(bytes.buffer);
      return [this.#chunks.length - 1, 0, bytes.length];
    }
    this.#roomFor(bytes.length).set(bytes, this.#used);
    return this.#taken(bytes.length);
  }

  /** All that was gathered; the next ones begin anew. */
  take(): ArrayBuffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#open = undefined;
    this.#used = 0;
    return chunks;
  }

  #roomFor(size: number): Buffer {
    if (this.#open !== undefined && this.#open.length - this.#used >= size) return this.#open;
    const chunk = new ArrayBuffer(Math.max(size, CHUNK_BYTES));
    this.#openIndex = this.#chunks.push(chunk) - 1;
    this.#open = Buffer.from(chunk);
    this.#used = 0;
    return this.#open;
  }

  #taken(length: number): BytesRef {
    const ref: BytesRef = [this.#openIndex, this.#used, length];
    this.#used += length;
    return ref;
  }
}

/** The bytes that a reference stands for. */
export function bytesAt(
  [chunk, offset, length]: BytesRef,
  chunks: readonly ArrayBuffer[],
  mail: Uint8Array,
): Uint8Array {
  if (chunk < 0) return mail.subarray(offset, offset + length);
  const buffer = chunks[chunk];
  if (buffer === undefined) throw new Error("a reference to bytes that did not come along");
  return new Uint8Array(buffer, offset, length);
}
