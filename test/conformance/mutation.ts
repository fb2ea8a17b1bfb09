/** A small generator of random numbers (mulberry32): the same seed gives the same run on every machine. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}

const MAX_FLIPS = 24;
/** What parsers stumble over more often than over any byte. */
const SPLINTERS = [
  "\r\n\r\n",
  "\n",
  "\r",
  "\0",
  "--",
  "\r\n--",
  "=?utf-8?B?",
  "<!--",
  "-->",
  "<script type=application/ld+json>",
  "</script>",
  "<template>",
  '{"',
  "[[[[",
  "}",
  "\\u",
  "begin 644 a\r\n",
  "Content-Type: multipart/mixed; boundary=",
  "Content-Transfer-Encoding: base64\r\n",
  "charset=utf-16",
  "\u{1f600}",
];

/**
 * `bytes` damaged once to four times: bytes flipped, a stretch cut out, doubled or overwritten, the end cut off, a stretch
 * of `other` spliced in, or a piece of syntax put somewhere.
 */
export function mutate(bytes: Buffer, other: Buffer, random: (below: number) => number): Buffer {
  let mutant: Buffer = Buffer.from(bytes);
  for (let left = 1 + random(4); left > 0; left -= 1) mutant = damage(mutant, other, random);
  return mutant;
}

function damage(bytes: Buffer, other: Buffer, random: (below: number) => number): Buffer {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + random(random(2) === 0 ? 40 : bytes.length - at + 1));
  switch (random(7)) {
    case 0:
      for (let flips = 1 + random(MAX_FLIPS); flips > 0 && bytes.length > 0; flips -= 1) {
        const place = random(bytes.length);
        bytes[place] = (bytes[place] ?? 0) ^ (1 << random(8));
      }
      return bytes;
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 3:
      return bytes.fill(random(256), at, end);
    case 4:
      return bytes.subarray(0, at);
    case 5: {
      const from = random(other.length + 1);
      const piece = other.subarray(from, from + random(other.length - from + 1));
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(end)]);
    }
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(SPLINTERS[random(SPLINTERS.length)] ?? ""),
        bytes.subarray(at),
      ]);
  }
}
