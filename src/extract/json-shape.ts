/** What a cheap pass over JSON text tells: how deep it nests and how many members its objects have. */
export interface JsonShape {
  readonly depth: number;
  readonly members: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One pass that jumps over strings. The text must be valid JSON for the numbers to mean anything. */
export function shapeOf(text: string): JsonShape {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = stringEnd(text, i);
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      case 0x3a: // :
        members += 1;
        break;
      default:
    }
  }
  return { depth: deepest, members };
}

/** Where the string that opens at `from` closes; the last index of the text when it never does. */
export function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length - 1;
}

/** How many members the objects of a parsed value have, all levels. Fewer than in its text means duplicate names. */
export function countMembers(value: unknown): number {
  let count = 0;
  const stack: unknown[] = [value];
  while (stack.length > 0) {
    const next = stack.pop();
    if (typeof next !== "object" || next === null) continue;
    const values = Object.values(next);
    if (!Array.isArray(next)) count += values.length;
    for (const inner of values) if (typeof inner === "object" && inner !== null) stack.push(inner);
  }
  return count;
}

/**
 * The index behind the bracket that closes the one at `from`, strings jumped over; the text's length when none does. A
 * guess for damaged text, exact for valid JSON.
 */
export function closingIndex(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = stringEnd(text, i);
    else if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) depth -= 1;
    if (depth === 0) return i + 1;
  }
  return text.length;
}
