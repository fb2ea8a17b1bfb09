import type { Repair } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import { duplicateKeysOf, readNode } from "./json-node.ts";
import { countMembers, shapeOf } from "./json-shape.ts";
import { repairJson } from "./repairs/repair.ts";

/** What a text turned out to be. */
export type JsonReading =
  | {
      readonly kind: "json";
      readonly values: readonly JsonText[];
      readonly repaired: readonly Repair[];
      readonly duplicateKeys: readonly string[];
    }
  | { readonly kind: "invalid"; readonly line: number; readonly column: number; readonly reason: string }
  | { readonly kind: "too-deep" }
  | { readonly kind: "empty" };

export interface JsonReadOptions {
  /** Try the named repairs of contract §4 when the text is no JSON as it stands. */
  readonly repair: boolean;
  readonly maxDepth: number;
}

/** Blanks of JSON at both ends; a byte order mark is a repair, not a blank. */
const OUTER_BLANKS = /^[ \t\r\n]+|[ \t\r\n]+$/g;

/**
 * Reads a text as JSON and carries it as text: digits, key order and duplicates stay as the sender wrote them.
 *
 * The engine's own parser judges whether the text is valid; our own reader says where it is not. Never throws.
 */
export function readJson(source: string, options: JsonReadOptions): JsonReading {
  const text = source.replace(OUTER_BLANKS, "");
  if (text === "") return { kind: "empty" };
  const valid = readValid(text, options.maxDepth);
  if (valid !== undefined) return valid;
  if (options.repair) {
    const repaired = repairJson(text, options.maxDepth);
    if (repaired !== undefined) {
      const readings = repaired.values.map((value) => readValid(value, options.maxDepth));
      if (readings.some((reading) => reading?.kind === "too-deep")) return { kind: "too-deep" };
      const duplicateKeys = readings.flatMap((reading) => (reading?.kind === "json" ? reading.duplicateKeys : []));
      return { kind: "json", values: repaired.values as JsonText[], repaired: repaired.repairs, duplicateKeys };
    }
  }
  return problemOf(text, options.maxDepth);
}

/** The reading of a text that is valid JSON as it stands; undefined when it is not. */
function readValid(text: string, maxDepth: number): (JsonReading & { kind: "json" | "too-deep" }) | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: the caller repairs it, or says where it goes wrong.
    return undefined;
  }
  const scalar = typeof value !== "object" || value === null;
  const shape = scalar ? { depth: 0, members: 0 } : shapeOf(text);
  if (shape.depth > maxDepth) return { kind: "too-deep" };
  const hasDuplicates = shape.members !== 0 && countMembers(value) !== shape.members;
  return {
    kind: "json",
    values: [text as JsonText],
    repaired: [],
    duplicateKeys: hasDuplicates ? duplicatesIn(text, maxDepth) : [],
  };
}

function duplicatesIn(text: string, maxDepth: number): string[] {
  const reading = readNode(text, maxDepth);
  return reading.kind === "node" ? duplicateKeysOf(reading.node) : [];
}

function problemOf(text: string, maxDepth: number): JsonReading {
  const reading = readNode(text, maxDepth);
  if (reading.kind === "too-deep") return reading;
  if (reading.kind === "invalid") return { kind: "invalid", ...pick(reading.problem) };
  const before = text.slice(0, reading.end);
  const line = before.split("\n").length;
  return {
    kind: "invalid",
    line,
    column: reading.end - (before.lastIndexOf("\n") + 1) + 1,
    reason: "something stands behind the end of the JSON value",
  };
}

const pick = ({ line, column, reason }: { line: number; column: number; reason: string }) => ({ line, column, reason });
