import type { Repair } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import { duplicateKeysOf } from "./duplicate-keys.ts";
import { readNode } from "./json-node.ts";
import { countMembers, shapeOf } from "./json-shape.ts";
import { positionOf } from "./json-string.ts";
import { repairJson } from "./repairs/repair.ts";

/** What a text turned out to be. */
export type JsonReading =
  | {
      readonly kind: "json";
      /** Several only when the repair `several-values` is named. */
      readonly values: readonly JsonText[];
      readonly repaired: readonly Repair[];
      /** JSON Pointers of members whose name stands twice. */
      readonly duplicateKeys: readonly string[];
      /** What the engine made of a single value without duplicates: for what it says, not for its digits. */
      readonly parsed?: unknown;
    }
  | {
      readonly kind: "invalid";
      /** Position in the text as given, from 1. */
      readonly line: number;
      readonly column: number;
      readonly reason: string;
    }
  | { readonly kind: "too-deep" }
  | { readonly kind: "empty" };

export interface JsonReadOptions {
  /** Try the named repairs of contract §4 when the text is no JSON as it stands. */
  readonly repair: boolean;
  readonly maxDepth: number;
}

/**
 * Reads a text as JSON and carries it as text: digits, key order and duplicates stay as the sender wrote them.
 *
 * The engine's own parser judges whether the text is valid; our own reader says where it is not. Never throws.
 */
export function readJson(source: string, options: JsonReadOptions): JsonReading {
  const text = wellFormed(source.slice(startOf(source), endOf(source)));
  if (text === "") return { kind: "empty" };
  const valid = readValid(text, options.maxDepth);
  if (valid !== undefined) return valid;
  const repaired = options.repair && text.length <= MAX_REPAIRED ? repairJson(text, options.maxDepth) : undefined;
  if (repaired === undefined) return problemOf(source, options.maxDepth);
  if (repaired.kind === "too-deep") return repaired;
  const duplicateKeys = new Set(repaired.values.flatMap((value) => duplicatesIn(value, options.maxDepth)));
  return {
    kind: "json",
    values: repaired.values as readonly JsonText[],
    repaired: repaired.repairs,
    duplicateKeys: [...duplicateKeys],
  };
}

/** From here on a text is not made a value, which takes several times its memory, but only looked through. */
const LARGE = 2_000_000;
/** Repairs take a text to its tokens. */
const MAX_REPAIRED = 2_000_000;

function readLarge(text: string, maxDepth: number): (JsonReading & { kind: "json" | "too-deep" }) | undefined {
  const pointers = new Set<string>();
  const reading = readNode(text, maxDepth, 0, { kind: "duplicates", pointers });
  if (reading.kind === "too-deep") return reading;
  if (reading.kind === "invalid" || reading.end !== text.length) return undefined;
  return { kind: "json", values: [text as JsonText], repaired: [], duplicateKeys: [...pointers] };
}

/** The reading of a text that is valid JSON as it stands; `undefined` when it is not. */
function readValid(text: string, maxDepth: number): (JsonReading & { kind: "json" | "too-deep" }) | undefined {
  if (text.length > LARGE) return readLarge(text, maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: the caller repairs it, or says where it goes wrong.
    return undefined;
  }
  const isScalar = typeof value !== "object" || value === null;
  const shape = isScalar ? { depth: 0, members: 0 } : shapeOf(text);
  if (shape.depth > maxDepth) return { kind: "too-deep" };
  const hasDuplicates = shape.members !== 0 && countMembers(value) !== shape.members;
  if (!hasDuplicates)
    return { kind: "json", values: [text as JsonText], repaired: [], duplicateKeys: [], parsed: value };
  return { kind: "json", values: [text as JsonText], repaired: [], duplicateKeys: duplicatesIn(text, maxDepth) };
}

function duplicatesIn(text: string, maxDepth: number): string[] {
  const reading = readNode(text, maxDepth);
  return reading.kind === "node" ? duplicateKeysOf(reading.node) : [];
}

function problemOf(source: string, maxDepth: number): JsonReading {
  const reading = readNode(source, maxDepth, 0, { kind: "duplicates", pointers: new Set() });
  if (reading.kind === "too-deep") return reading;
  const { offset, reason } =
    reading.kind === "invalid"
      ? reading.problem
      : { offset: behind(source, reading.end), reason: "something stands behind the end of the JSON value" };
  const tooLong = source.length > MAX_REPAIRED ? `; texts of more than ${MAX_REPAIRED} characters are not mended` : "";
  return { kind: "invalid", ...positionOf(source, offset), reason: reason + tooLong };
}

function behind(source: string, end: number): number {
  return end + startOf(source.slice(end));
}

/** Half a surrogate pair cannot travel as UTF-8: it is kept as the escape that JSON has for it (RFC 8259 §8.2). */
function wellFormed(text: string): string {
  return text.isWellFormed()
    ? text
    : text.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Where a text begins behind JSON's own blanks; a byte order mark is a repair, not a blank. */
function startOf(source: string): number {
  let start = 0;
  while (isBlank(source.charCodeAt(start))) start += 1;
  return start;
}

function endOf(source: string): number {
  let end = source.length;
  while (end > 0 && isBlank(source.charCodeAt(end - 1))) end -= 1;
  return end;
}

const isBlank = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
