import type { Repair } from "../../model/item.ts";
import { readNode } from "../json-node.ts";
import { addMissingCommas, dropComments, dropTrailingCommas, plainBlanks } from "./gaps.ts";
import { decodeHtmlEntities } from "./html-entities.ts";
import type { Segment } from "./segments.ts";
import { joinSegments, mapSegments, segmentsOf } from "./segments.ts";
import { escapeControlCharacters, escapeLineBreaks, plainApostrophes } from "./strings.ts";
import { takeOffBom, takeOffCdata, takeOffHtmlComment, takeOffSemicolon } from "./wrappers.ts";

export interface Repaired {
  /** Valid JSON each; several only when the repair `several-values` is named. */
  readonly values: readonly string[];
  readonly repairs: readonly Repair[];
}

const MAX_VALUES = 10_000;

type TextRepair = readonly [name: Repair, apply: (text: string) => string];
type SegmentRepair = readonly [name: Repair, apply: (segments: readonly Segment[]) => readonly Segment[]];

const WRAPPERS: readonly TextRepair[] = [
  ["bom", takeOffBom],
  ["html-comment", takeOffHtmlComment],
  ["cdata", takeOffCdata],
  ["html-comment", takeOffHtmlComment],
  ["trailing-semicolon", takeOffSemicolon],
];

const INSIDE: readonly SegmentRepair[] = [
  ["javascript-comments", dropComments],
  ["nbsp", (segments) => mapSegments(segments, "gap", plainBlanks)],
  ["control-characters", (segments) => mapSegments(segments, "string", escapeControlCharacters)],
  ["raw-line-breaks", (segments) => mapSegments(segments, "string", escapeLineBreaks)],
  ["single-quote-escape", (segments) => mapSegments(segments, "string", plainApostrophes)],
  ["missing-comma", addMissingCommas],
  ["trailing-comma", (segments) => mapSegments(segments, "gap", dropTrailingCommas)],
];

/**
 * Makes damaged JSON valid with the repairs of contract §4, cheapest first, and names those that changed something.
 *
 * Called only for text that is no JSON as it stands, so a valid `&lt;` in a string is never touched. `undefined` when the
 * text is still no JSON with all of them.
 */
export function repairJson(source: string, maxDepth: number): Repaired | undefined {
  const repairs: Repair[] = [];
  let text = source;
  for (const [name, apply] of WRAPPERS) {
    const after = apply(text).trim();
    if (after !== text) repairs.push(name);
    text = after;
  }
  const unwrapped = valuesIn(text, maxDepth);
  if (unwrapped !== undefined) return named(unwrapped, repairs);
  const inside = repairInside(text, maxDepth, repairs);
  if (inside !== undefined) return inside;
  // Encoded quotes come last: decoding them in a text that has real ones would end its strings.
  const decoded = decodeHtmlEntities(text);
  if (decoded === text) return undefined;
  const decodedRepairs: readonly Repair[] = [...repairs, "html-entities"];
  const values = valuesIn(decoded, maxDepth);
  return values === undefined ? repairInside(decoded, maxDepth, decodedRepairs) : named(values, decodedRepairs);
}

function repairInside(text: string, maxDepth: number, before: readonly Repair[]): Repaired | undefined {
  let segments: readonly Segment[] | undefined = segmentsOf(text);
  if (segments === undefined) return undefined;
  const repairs = [...before];
  for (const [name, apply] of INSIDE) {
    const after = apply(segments);
    if (joinSegments(after) !== joinSegments(segments)) repairs.push(name);
    segments = after;
  }
  const values = valuesIn(takeOffSemicolon(joinSegments(segments)).trim(), maxDepth);
  return values === undefined ? undefined : named(values, repairs);
}

function named(values: readonly string[], repairs: readonly Repair[]): Repaired {
  return { values, repairs: [...new Set<Repair>(values.length > 1 ? [...repairs, "several-values"] : repairs)] };
}

/** The JSON values that a text is made of, one behind the other, perhaps with commas or semicolons between them. */
function valuesIn(text: string, maxDepth: number): string[] | undefined {
  const values: string[] = [];
  let at = 0;
  while (at < text.length && values.length < MAX_VALUES) {
    const reading = readNode(text, maxDepth, at);
    if (reading.kind !== "node") return undefined;
    const start = at + (/^\s*/.exec(text.slice(at, at + 1_000))?.[0].length ?? 0);
    values.push(text.slice(start, reading.end).trim());
    // Only objects and arrays stand one behind the other: `1 2` or `"a" "b"` is damage of another kind.
    if (reading.end < text.length && reading.node.kind !== "object" && reading.node.kind !== "array") return undefined;
    at = reading.end;
    while (at < text.length && /[\s,;]/.test(text[at] ?? "")) at += 1;
  }
  return values.length === 0 ? undefined : values;
}
