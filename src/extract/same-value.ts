import type { JsonNode } from "./json-node.ts";
import { textOf } from "./json-node.ts";

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
