import type { Repair } from "../../model/item.ts";
import { addMissingCommas, dropComments, dropTrailingCommas, plainBlanks, visibleBlanks } from "./gaps.ts";
import { decodeHtmlEntities } from "./html-entities.ts";
import type { Segment } from "./segments.ts";
import { joinSegments, mapSegments, segmentsOf } from "./segments.ts";
import { escapeControlCharacters, escapeLineBreaks, plainApostrophes } from "./strings.ts";
import { readValues } from "./values.ts";
import {
  takeOffBom,
  takeOffCdata,
  takeOffForeignBlanks,
  takeOffHtmlComment,
  takeOffInvisible,
  takeOffSemicolon,
} from "./wrappers.ts";
import { takeOffLinks } from "./written-out-links.ts";

export type Repaired =
  | {
      readonly kind: "values";
      /** Valid JSON each; several only when the repair `several-values` is named. */
      readonly values: readonly string[];
      readonly repairs: readonly Repair[];
    }
  | { readonly kind: "too-deep" };

type TextRepair = readonly [name: Repair, apply: (text: string) => string];
type SegmentRepair = readonly [name: Repair, apply: (segments: readonly Segment[]) => readonly Segment[]];

/** In rounds, because senders wrap wrappers: `<!--//--><![CDATA[//><!--` stood in every page of one old publishing system. */
const WRAPPERS: readonly TextRepair[] = [
  ["bom", takeOffBom],
  ["invisible-characters", takeOffInvisible],
  ["nbsp", takeOffForeignBlanks],
  ["html-comment", takeOffHtmlComment],
  ["cdata", takeOffCdata],
  ["trailing-semicolon", takeOffSemicolon],
];
const WRAPPER_ROUNDS = 3;

const INSIDE: readonly SegmentRepair[] = [
  ["javascript-comments", dropComments],
  ["nbsp", (segments) => mapSegments(segments, "gap", plainBlanks)],
  ["invisible-characters", (segments) => mapSegments(segments, "gap", visibleBlanks)],
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
  const unwrapped = takeOffWrappers(source);
  const repaired = repairText(unwrapped.text, maxDepth, unwrapped.repairs);
  if (repaired !== undefined) return repaired;
  // Encoded quotes come last: decoding them in a text that has real ones would end its strings.
  const decoded = decodeHtmlEntities(unwrapped.text);
  if (decoded === unwrapped.text) return undefined;
  const again = takeOffWrappers(decoded);
  return repairText(again.text, maxDepth, [...unwrapped.repairs, "html-entities", ...again.repairs]);
}

function takeOffWrappers(source: string): { text: string; repairs: Repair[] } {
  const repairs: Repair[] = [];
  let text = source;
  for (let round = 0; round < WRAPPER_ROUNDS; round += 1) {
    const before = text;
    for (const [name, apply] of WRAPPERS) {
      const after = apply(text);
      if (after === text) continue;
      text = trimBlanks(after);
      repairs.push(name);
    }
    if (text === before) break;
  }
  return { text, repairs };
}

/** JSON as it stands now, or after what is damaged inside was repaired. */
function repairText(text: string, maxDepth: number, before: readonly Repair[]): Repaired | undefined {
  const values = readValues(text, maxDepth);
  if (values !== undefined) return named(values, before);
  // Before the text is cut into strings: the line end in front of a link ends none of them.
  const unlinked = takeOffLinks(text);
  let segments: readonly Segment[] | undefined = segmentsOf(unlinked);
  if (segments === undefined) return undefined;
  const repairs: Repair[] = unlinked === text ? [...before] : [...before, "written-out-link"];
  let joined = unlinked;
  for (const [name, apply] of INSIDE) {
    segments = apply(segments);
    const after = joinSegments(segments);
    if (after !== joined) repairs.push(name);
    joined = after;
  }
  // A comment behind the last semicolon hid it until now.
  const whole = takeOffSemicolon(joined);
  if (whole !== joined) repairs.push("trailing-semicolon");
  const mended = readValues(whole, maxDepth);
  return mended === undefined ? undefined : named(mended, repairs);
}

function named(reading: Repaired, before: readonly Repair[]): Repaired {
  if (reading.kind === "too-deep") return reading;
  return { ...reading, repairs: [...new Set([...before, ...reading.repairs])] };
}

function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isBlank = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
