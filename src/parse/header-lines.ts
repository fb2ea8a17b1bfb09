const LF = 0x0a;
const CR = 0x0d;

/**
 * The header line that begins at `start`: where it ends and where the next one begins.
 *
 * Lines end in CRLF, LF, CRCRLF (a text twice converted), or a CR alone where another CR, a blank or a field name follows:
 * a stray CR inside a value is a character of that value and no line end. Past the end it is an empty line.
 */
export function nextLine(bytes: Buffer, start: number): { readonly end: number; readonly next: number } {
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === LF) return { end: at, next: at + 1 };
    if (byte === CR) {
      if (bytes[at + 1] === LF) return { end: at, next: at + 2 };
      if (bytes[at + 1] === CR && bytes[at + 2] === LF) return { end: at, next: at + 3 };
      // A CR at the start of a line is an empty line, whatever begins the body behind it.
      if (at === start || at + 1 >= bytes.length || endsLine(bytes, at + 1)) return { end: at, next: at + 1 };
    }
    at += 1;
  }
  return { end: bytes.length, next: bytes.length };
}

const MAX_NAME_LENGTH = 80;

/** Whether a header line may begin at `at`: an empty line, a fold, or letters, digits and hyphens with a colon behind. */
function endsLine(bytes: Buffer, at: number): boolean {
  const first = bytes[at];
  if (first === CR || first === 0x20 || first === 0x09) return true;
  for (let i = at; i < at + MAX_NAME_LENGTH; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x3a) return i > at;
    const isName = byte === 0x2d || (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
    if (!isName) return false;
  }
  return false;
}
