import { randomFillSync } from "node:crypto";

const POOL_BYTES = 4_096;

/**
 * Random bytes for ids, `size` at a time, cut from a pool that is filled in one go: asking the system for each costs more
 * than the rest of making an id.
 */
export function createRandomPieces(): (size: number) => Uint8Array {
  const pool = Buffer.alloc(POOL_BYTES);
  let at = POOL_BYTES;
  return (size) => {
    if (at + size > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    // Copied, because the pool is filled again while the caller may still hold its piece.
    const piece = Uint8Array.prototype.slice.call(pool, at, at + size);
    at += size;
    return piece;
  };
}
