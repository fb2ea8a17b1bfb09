import type { Repair } from "../../model/item.ts";
import { readNode } from "../json-node.ts";

export type ValuesReading =
  | { readonly kind: "values"; readonly values: readonly string[]; readonly repairs: readonly Repair[] }
  | { readonly kind: "too-deep" };

/** Far past what is taken from one mail; a text of millions must not become as many strings. */
const MAX_VALUES = 100_000;
const BETWEEN = /[\s,;]*/y;

/**
 * The JSON values that a text is made of, one behind the other, perhaps with commas or semicolons between and behind them.
 *
 * Only objects and arrays follow each other: `1 2` or `"a" "b"` is damage of another kind, and gives `undefined`.
 */
export function readValues(text: string, maxDepth: number): ValuesReading | undefined {
  const values: string[] = [];
  const repairs = new Set<Repair>();
  let allContainers = true;
  let at = 0;
  while (at < text.length) {
    const reading = readNode(text, maxDepth, at);
    if (reading.kind === "too-deep") return reading;
    if (reading.kind === "invalid") return undefined;
    values.push(text.slice(at, reading.end).trimStart());
    allContainers &&= reading.node.kind === "object" || reading.node.kind === "array";
    BETWEEN.lastIndex = reading.end;
    const between = BETWEEN.exec(text)?.[0] ?? "";
    at = reading.end + between.length;
    if (at < text.length) repairs.add("several-values");
    else if (between.includes(",")) repairs.add("trailing-comma");
    if (values.length > MAX_VALUES) return undefined;
    if (!allContainers && (at < text.length || values.length > 1)) return undefined;
  }
  return values.length === 0 ? undefined : { kind: "values", values, repairs: [...repairs] };
}
