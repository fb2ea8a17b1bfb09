import type { JsonNode } from "../extract/json-node.ts";
import { parseNode } from "../extract/json-node.ts";
import type { JsonText } from "../model/mail.ts";

const STEP = "  ";

/** JSON text over several lines for people, two blanks a level; digits, key order and duplicate names stay. Iterative. */
export function indentJson(json: JsonText): string {
  const pieces: string[] = [];
  const stack: (string | { readonly node: JsonNode; readonly level: number })[] = [{ node: parseNode(json), level: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === "string") {
      pieces.push(next);
      continue;
    }
    const { node, level } = next;
    const children = childrenOf(node);
    if (children === undefined) pieces.push("raw" in node ? node.raw : node.kind === "object" ? "{}" : "[]");
    else {
      const [open, close] = node.kind === "object" ? ["{", "}"] : ["[", "]"];
      pieces.push(open);
      stack.push(`\n${STEP.repeat(level)}${close}`);
      for (const [index, { name, value }] of [...children.entries()].toReversed()) {
        const before = `${index === 0 ? "" : ","}\n${STEP.repeat(level + 1)}${name}`;
        stack.push({ node: value, level: level + 1 }, before);
      }
    }
  }
  return pieces.join("");
}

/** What stands inside, `undefined` when nothing does. */
function childrenOf(node: JsonNode): { readonly name: string; readonly value: JsonNode }[] | undefined {
  if (node.kind === "object" && node.members.length > 0)
    return node.members.map(({ rawName, value }) => ({ name: `${rawName}: `, value }));
  if (node.kind === "array" && node.items.length > 0) return node.items.map((value) => ({ name: "", value }));
  return undefined;
}
