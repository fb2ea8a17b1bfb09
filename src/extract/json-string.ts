import { stringEnd } from "./json-shape.ts";

/** Where and why a text is no JSON. Line and column cost a walk through the text: `positionOf` counts them when asked. */
export interface JsonProblem {
  readonly offset: number;
  readonly reason: string;
}

// eslint-disable-next-line no-control-regex -- raw control characters are what makes a string invalid
const CONTROL = /[\u0000-\u001f]/;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;

/**
 * The string, quotes included, that opens at `at`; `undefined` when none does or it is no valid one.
 *
 * A search for the closing quote, not one regular expression for all: the engine's own stack for those ends at a few
 * million repetitions, and mails carry files of that size in a string.
 */
export function readString(text: string, at: number): string | undefined {
  if (text[at] !== '"') return undefined;
  const raw = text.slice(at, stringEnd(text, at) + 1);
  if (raw.length < 2 || !raw.endsWith('"') || CONTROL.test(raw)) return undefined;
  return raw.includes("\\") && !isReadable(raw) ? undefined : raw;
}

function isReadable(raw: string): boolean {
  try {
    JSON.parse(raw);
    return true;
  } catch {
    // An escape that JSON does not know: problemInString finds which.
    return false;
  }
}

/** What is wrong with the string that opens at `at`, and where in the text. */
export function problemInString(text: string, at: number): JsonProblem {
  const end = stringEnd(text, at);
  for (let i = at + 1; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || code === 0x0d) return problemAt(text, i, "a line break stands in a string");
    if (code < 0x20) return problemAt(text, i, "a control character stands in a string");
    if (code !== 0x5c) continue;
    ESCAPE.lastIndex = i;
    if (!ESCAPE.test(text)) return problemAt(text, i, "an escape that JSON does not know stands in a string");
    i += 1;
  }
  return problemAt(text, text.length, "a string is never closed");
}

/** A problem, and that the text ends where it is. */
export function problemAt(text: string, offset: number, reason: string): JsonProblem {
  const ends = offset >= text.length && !reason.includes("never");
  return { offset, reason: ends ? `${reason}, but the text ends` : reason };
}

/** The position of an offset as people count it, both from 1. */
export function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
