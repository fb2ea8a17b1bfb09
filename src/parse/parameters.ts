import { Latest } from "../lib/latest.ts";
import { readText } from "./charset.ts";
import { decodeWords, withoutControls } from "./encoded-words.ts";

/** A structured header value: `text/html; charset=utf-8` or `attachment; filename="a.json"`. */
export interface StructuredValue {
  /** Lower case. */
  readonly value: string;
  /** Names in lower case, values decoded. */
  readonly parameters: ReadonlyMap<string, string>;
}

interface Piece {
  readonly index: number;
  readonly isEncoded: boolean;
  readonly value: string;
}

const NOTHING: StructuredValue = { value: "", parameters: new Map() };
const MAX_KNOWN_LENGTH = 80;
const KNOWN = new Latest<StructuredValue>(500);
const LONE_PARAMETER = /^\s*[\w*-]{1,99}=(?!\?)/;
const SEPARATORS = new Set([";", " ", "\t", "\r", "\n"]);

/**
 * Reads a value with parameters. Continuations (`filename*0*=`), percent-encoding with a charset, comments, and encoded
 * words in quotes are undone; a missing semicolon or closing quote is forgiven. One pass over the characters.
 *
 * Source: RFC 2045 §5.1, RFC 2183, RFC 2231 §3 and §4; encoded words in parameters are forbidden and common.
 */
export function readStructured(text: string | undefined): StructuredValue {
  if (text === undefined || text === "") return NOTHING;
  if (text.length > MAX_KNOWN_LENGTH) return readAnew(text);
  // `text/plain; charset=utf-8` and its like stand in every mail.
  const known = KNOWN.get(text);
  if (known !== undefined) return known;
  const read = readAnew(text);
  KNOWN.set(text, read);
  return read;
}

function readAnew(text: string): StructuredValue {
  // `filename="a.json"` alone: the word before the parameters was forgotten.
  const first = LONE_PARAMETER.test(text) ? 0 : tokenEnd(text, 0);
  const value = withoutComments(text.slice(0, first)).trim().toLowerCase();
  const plain = new Map<string, string>();
  const pieces = new Map<string, Piece[]>();
  let at = first;
  while (at < text.length) {
    const character = text[at] ?? "";
    if (SEPARATORS.has(character)) {
      at += 1;
      continue;
    }
    if (character === "(") {
      at = commentEnd(text, at + 1);
      continue;
    }
    const nameStart = at;
    while (at < text.length && text[at] !== "=" && !SEPARATORS.has(text[at] ?? "")) at += 1;
    const name = text.slice(nameStart, at).toLowerCase();
    at = skipBlanks(text, at);
    if (text[at] !== "=") continue;
    const parameter = parameterValue(text, skipBlanks(text, at + 1));
    at = parameter.end;
    keep(name, parameter.value, plain, pieces);
  }
  for (const [name, list] of pieces) {
    const { text, isDecoded } = joinPieces(list);
    // The plain parameter beside it is for whoever does not know the charset (RFC 8187 §4.2).
    if (isDecoded || !plain.has(name)) plain.set(name, text);
  }
  return { value, parameters: plain };
}

function keep(name: string, value: string, plain: Map<string, string>, pieces: Map<string, Piece[]>): void {
  const [, base = "", index, star] = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/.exec(name) ?? [];
  if (base === "") return;
  if (index === undefined && star === undefined) {
    if (!plain.has(base)) plain.set(base, decodeWords(value));
    return;
  }
  const list = pieces.get(base) ?? [];
  list.push({ index: Number(index ?? 0), isEncoded: star !== undefined, value });
  pieces.set(base, list);
}

/** Where the first value ends: at a semicolon, or at a blank behind which a parameter stands without one. */
function tokenEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (character === ";") return at;
    if (character === "(") at = commentEnd(text, at + 1) - 1;
    else if (at > from && startsParameter(text, at)) return at;
  }
  return text.length;
}

function parameterValue(text: string, from: number): { readonly value: string; readonly end: number } {
  if (text[from] === '"') return quotedValue(text, from + 1);
  let at = from;
  // An unquoted file name with blanks goes on to the semicolon; a comment does not belong to it.
  while (at < text.length && text[at] !== ";") {
    if (text[at] === "(" && /\s/.test(text[at - 1] ?? "")) break;
    if (startsParameter(text, at)) break;
    at += 1;
  }
  return { value: text.slice(from, at).trim(), end: at };
}

/** Whether a run of blanks begins at `at` with a parameter behind it: the semicolon was forgotten. */
function startsParameter(text: string, at: number): boolean {
  const isRunStart = SEPARATORS.has(text[at] ?? "") && !SEPARATORS.has(text[at - 1] ?? "");
  return isRunStart && /^\s{1,99}[\w*-]{1,99}=(?!\?)/.test(text.slice(at, at + 200));
}

/** Only `\"` and `\\` are undone: Windows paths stand unescaped in file names. */
function quotedValue(text: string, from: number): { readonly value: string; readonly end: number } {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" && /["\\]/.test(text[at + 1] ?? "") ? 2 : 1;
  return { value: text.slice(from, at).replace(/\\(["\\])/g, "$1"), end: at + 1 };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t") at += 1;
  return at;
}

/** Behind the comment whose content begins at `from`; comments nest (RFC 5322 §3.2.2). */
export function commentEnd(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "(") depth += 1;
    else if (text[at] === ")") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/** A value without its comments. */
export function withoutComments(text: string): string {
  let out = "";
  let at = 0;
  for (let open = text.indexOf("("); open >= 0; open = text.indexOf("(", at)) {
    out += text.slice(at, open);
    at = commentEnd(text, open + 1);
  }
  return out + text.slice(at);
}

function joinPieces(list: readonly Piece[]): { readonly text: string; readonly isDecoded: boolean } {
  const ordered = [...list].sort((a, b) => a.index - b.index);
  // Encoded words spread over continuations belong to neither RFC and are written all the same.
  const written = ordered.map(({ value }) => value).join("");
  if (ordered.every(({ isEncoded }) => !isEncoded)) return { text: decodeWords(written), isDecoded: true };
  let charset = "utf-8";
  const bytes = ordered.map((piece, position) => {
    let text = piece.value;
    if (position === 0 && piece.isEncoded) {
      const [, label, rest] = /^([^']{0,60})'[^']*'(.*)$/s.exec(text) ?? [];
      if (rest !== undefined) {
        charset = label || "utf-8";
        text = rest;
      }
    }
    return piece.isEncoded ? percentDecoded(text) : Buffer.from(text);
  });
  const { text, fidelity } = readText(Buffer.concat(bytes), charset, "text");
  // In a charset that nobody knows, the escapes say more than what could be made of them.
  const isDecoded = fidelity !== "unknown-charset";
  return { text: withoutControls(isDecoded ? text : written), isDecoded };
}

function percentDecoded(text: string): Buffer {
  const pieces = text.split(/%([0-9a-f]{2})/i);
  return Buffer.concat(
    pieces.map((piece, index) => (index % 2 === 1 ? Buffer.from(piece, "hex") : Buffer.from(piece))),
  );
}
