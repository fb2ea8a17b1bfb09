import type { Batch } from "./engine-thread.ts";
import type { ThreadWork } from "./messages.ts";

/** A batch whose small bytes lie in one block, which is handed over; shared memory goes along as it is. */
export function packed(works: readonly ThreadWork[]): Batch {
  let size = 0;
  for (const { bytes } of works) if (bytes !== undefined && !isShared(bytes)) size += bytes.length;
  if (size === 0) return { works, block: undefined };
  const block = new ArrayBuffer(size);
  const room = new Uint8Array(block);
  let at = 0;
  const inBlock = works.map((work): ThreadWork => {
    const { bytes, ...rest } = work;
    if (bytes === undefined || isShared(bytes)) return work;
    room.set(bytes, at);
    const place: ThreadWork = { ...rest, inBlock: [at, bytes.length] };
    at += bytes.length;
    return place;
  });
  return { works: inBlock, block };
}

const isShared = ({ buffer }: Uint8Array): boolean => buffer instanceof SharedArrayBuffer;
