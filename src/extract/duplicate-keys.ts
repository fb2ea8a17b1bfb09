import type { JsonNode } from "./json-node.ts";
import { MAX_DUPLICATES } from "./json-node.ts";
import { pointerToken } from "../lib/json-pointer.ts";

/**
 * JSON Pointers (RFC 6901) of members whose name stands twice in its object, each once, the first hundred in document
 * order. They stay in the value as sent; `select` and `schema` see the last.
 */
export function duplicateKeysOf(node: JsonNode): string[] {
  const found = new Set<string>();
  const stack: { readonly node: JsonNode; readonly pointer: string }[] = [{ node, pointer: "" }];
  for (let next = stack.pop(); next !== undefined && found.size < MAX_DUPLICATES; next = stack.pop()) {
    const { node: current, pointer } = next;
    const below: typeof stack = [];
    if (current.kind === "array")
      for (const [index, item] of current.items.entries()) below.push({ node: item, pointer: `${pointer}/${index}` });
    if (current.kind === "object") {
      const seen = new Set<string>();
      for (const { name, value } of current.members) {
        const own = `${pointer}/${pointerToken(name)}`;
        if (seen.has(name)) found.add(own);
        seen.add(name);
        below.push({ node: value, pointer: own });
      }
    }
    for (let i = below.length - 1; i >= 0; i -= 1) {
      const child = below[i];
      // Scalars have no members: leaving them out keeps the stack small.
      if (child !== undefined && (child.node.kind === "object" || child.node.kind === "array")) stack.push(child);
    }
  }
  return [...found].slice(0, MAX_DUPLICATES);
}
