import type { JsonText } from "../model/mail.ts";
import type { JsonNode } from "./json-node.ts";
import { parseNode, textOf } from "./json-node.ts";

/**
 * A text that two values share exactly when they are equal as JSON values: key order, escapes and blanks do not count, the
 * digits of numbers do (`1.0` and `1` differ), and of duplicate names the last one stands for all (contract §4).
 *
 * Iterative and, but for sorting names, linear.
 */
export function canonicalOf(node: JsonNode): string {
  const pieces: string[] = [];
  const stack: (JsonNode | string)[] = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === "string") pieces.push(next);
    else if (next.kind === "object") {
      const last = new Map(next.members.map(({ name, value }) => [name, value]));
      pieces.push("{");
      stack.push("}");
      // Backwards, because the stack gives back the last one first.
      for (const name of [...last.keys()].sort().toReversed()) {
        const value = last.get(name);
        if (value !== undefined) stack.push(",", value, `${JSON.stringify(name)}:`);
      }
    } else if (next.kind === "array") {
      pieces.push("[");
      stack.push("]");
      for (let i = next.items.length - 1; i >= 0; i -= 1) {
        const item = next.items[i];
        if (item !== undefined) stack.push(",", item);
      }
    } else pieces.push(next.kind === "string" ? JSON.stringify(textOf(next.raw)) : next.raw);
  }
  return pieces.join("");
}

/** Spellings that are remembered beside the values; past it, equal spellings only cost more. */
const MAX_SPELLINGS = 10_000;

/** What was seen under which JSON value. A single value is never compared, so a mail with one item pays nothing. */
export class ValueIndex<Entry> {
  #only: { readonly value: JsonText; readonly entry: Entry } | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #spellings = new Map<JsonText, Entry>();

  /** The entry of an equal value; without one, `entry` is kept for this value and `undefined` comes back. */
  findOrAdd(value: JsonText, entry: Entry): Entry | undefined {
    if (this.#only === undefined) {
      this.#only = { value, entry };
      return undefined;
    }
    // The same text in text/plain and in HTML is the usual case, and is told without a tree.
    const spelled = value === this.#only.value ? this.#only.entry : this.#spellings.get(value);
    if (spelled !== undefined) return spelled;
    if (this.#entries.size === 0) this.#entries.set(canonicalOf(parseNode(this.#only.value)), this.#only.entry);
    const canonical = canonicalOf(parseNode(value));
    const known = this.#entries.get(canonical);
    if (known === undefined) this.#entries.set(canonical, entry);
    if (this.#spellings.size < MAX_SPELLINGS) this.#spellings.set(value, known ?? entry);
    return known;
  }
}
