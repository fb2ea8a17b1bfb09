import { nextLine } from "./header-lines.ts";

/** A delimiter line that belongs to one of the open multiparts. */
export interface Delimiter {
  /** Index of the multipart it belongs to, 0 the outermost. */
  readonly owner: number;
  /** It ends the multipart (`--boundary--`). */
  readonly isLast: boolean;
  /** Where the content before it ends; the line end in front of a delimiter belongs to it (RFC 2046 §5.1.1). */
  readonly start: number;
  /** Where the line behind it begins. */
  readonly end: number;
}

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;
const LF_DASHES = Buffer.from("\n--");
const CR_DASHES = Buffer.from("\r--");

/**
 * Finds the delimiter lines of nested multiparts in one pass over the bytes, whatever the nesting: every line that begins
 * with two hyphens is looked up once among all open boundaries, the innermost first.
 *
 * So the delimiter of an outer multipart ends inner ones that lack their last delimiter (RFC 2046 §5.1.2).
 */
export class DelimiterSearch {
  readonly #bytes: Buffer;
  readonly #open: string[] = [];
  #owners = new Map<string, number>();
  #longest = 0;
  // The next place of each kind of line start, kept so that no byte is searched twice; -1 when there is none.
  #nextLf = -2;
  #nextCr = -2;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  push(boundary: string): void {
    this.#open.push(asBytes(boundary));
    this.#index();
  }

  /** Whether a multipart with this boundary is open. */
  isOpen(boundary: string): boolean {
    return this.#owners.has(asBytes(boundary));
  }

  /** Closes all multiparts from `owner` inwards. */
  popTo(owner: number): void {
    this.#open.length = owner;
    this.#index();
  }

  /** The first delimiter at or behind `from`, which must be the start of a line. */
  next(from: number): Delimiter | undefined {
    if (this.#open.length === 0) return undefined;
    for (let at = this.#nextDashes(from); at >= 0; at = this.#nextDashes(at + 2)) {
      const found = this.at(at, from);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The delimiter whose line begins at `at`, if there is one; its content began at `contentStart`. */
  at(at: number, contentStart: number): Delimiter | undefined {
    const bytes = this.#bytes;
    if (this.#open.length === 0 || bytes[at] !== DASH || bytes[at + 1] !== DASH) return undefined;
    // Never further than the longest boundary reaches, so that long lines cost nothing.
    const most = Math.min(bytes.length, at + 2 + this.#longest + 3);
    let lineEnd = at + 2;
    while (lineEnd < most && bytes[lineEnd] !== LF && bytes[lineEnd] !== CR) lineEnd += 1;
    const text = bytes.toString("latin1", at + 2, lineEnd).trimEnd();
    const found = this.#ownerOf(text) ?? (/[ \t]/.test(text) ? this.#ownerOf(/^\S*/.exec(text)?.[0] ?? "") : undefined);
    if (found === undefined) return undefined;
    const end = found.length === text.length ? lineEndAfterBlanks(bytes, at + 2 + text.length) : undefined;
    const { owner, isLast } = found;
    // Whatever stands behind the boundary and a blank is passed over (RFC 2046 §5.1.1: the comparison is with the beginning
    // of the line), but one character more is a longer boundary.
    const next = end ?? (isBlank(bytes[at + 2 + found.length]) ? nextLine(bytes, at).next : undefined);
    return next === undefined
      ? undefined
      : { owner, isLast, start: Math.max(contentStart, this.#beforeLineEnd(at)), end: next };
  }

  #ownerOf(text: string): { owner: number; isLast: boolean; length: number } | undefined {
    const owner = this.#owners.get(text);
    if (owner !== undefined) return { owner, isLast: false, length: text.length };
    const last = text.endsWith("--") ? this.#owners.get(text.slice(0, -2).trimEnd()) : undefined;
    return last === undefined ? undefined : { owner: last, isLast: true, length: text.length };
  }

  #index(): void {
    this.#owners = new Map(this.#open.map((boundary, owner) => [boundary, owner]));
    this.#longest = this.#open.reduce((longest, { length }) => Math.max(longest, length), 0);
  }

  #nextDashes(from: number): number {
    const bytes = this.#bytes;
    if (bytes[from] === DASH && bytes[from + 1] === DASH && isLineStart(bytes, from)) return from;
    const before = Math.max(0, from - 1);
    if (this.#nextLf !== -1 && this.#nextLf < before) this.#nextLf = bytes.indexOf(LF_DASHES, before);
    if (this.#nextCr !== -1 && this.#nextCr < before) this.#nextCr = bytes.indexOf(CR_DASHES, before);
    if (this.#nextLf === -1) return this.#nextCr === -1 ? -1 : this.#nextCr + 1;
    return (this.#nextCr === -1 ? this.#nextLf : Math.min(this.#nextLf, this.#nextCr)) + 1;
  }

  #beforeLineEnd(at: number): number {
    const bytes = this.#bytes;
    if (at > 1 && bytes[at - 1] === LF && bytes[at - 2] === CR) return at - 2;
    return Math.max(0, at - 1);
  }
}

/** Boundaries are compared as bytes; a header value with characters beyond ASCII was UTF-8. */
function asBytes(boundary: string): string {
  return Buffer.from(boundary).toString("latin1");
}

function isLineStart(bytes: Buffer, at: number): boolean {
  return at === 0 || bytes[at - 1] === LF || bytes[at - 1] === CR;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

/** Where the next line begins when only blanks stand before it. */
function lineEndAfterBlanks(bytes: Buffer, from: number): number | undefined {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  if (at >= bytes.length) return bytes.length;
  if (bytes[at] === CR) return bytes[at + 1] === LF ? at + 2 : at + 1;
  return bytes[at] === LF ? at + 1 : undefined;
}
