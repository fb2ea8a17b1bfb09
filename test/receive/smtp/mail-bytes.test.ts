import fc from "fast-check";
import { expect, test } from "vitest";

import { MailBytes } from "../../../src/receive/smtp/mail-bytes.ts";

const MAX_BYTES = 1_200_000;

test("a mail is the same whatever pieces it came in and whatever size was announced", () => {
  const piece = fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
    { weight: 1, arbitrary: fc.nat(90_000).map((length) => new Uint8Array(length).fill(length & 0xff)) },
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom(0, 10, 1_000, 65_537, 200_000),
      (pieces, announced) => {
        const bytes = new MailBytes(announced, MAX_BYTES);
        for (const one of pieces) bytes.add(Buffer.from(one));
        expect(Buffer.compare(bytes.whole(), Buffer.concat(pieces))).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test("a large mail lies in shared memory, in one piece of the announced size, or of what it may grow to", () => {
  for (const [announced, length] of [
    [0, 8 * 64 * 1_024],
    [100_000, 800_000],
    [180_000, MAX_BYTES],
    [200_000, 200_000],
    [10 * MAX_BYTES, MAX_BYTES],
  ] as const) {
    const bytes = new MailBytes(announced, MAX_BYTES);
    for (let i = 0; i < 200; i += 1) bytes.add(Buffer.alloc(1_000, i));
    const { buffer, byteLength } = bytes.whole();
    expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([buffer.byteLength, byteLength]).toEqual([length, 200_000]);
  }
});
