import { bundledContext } from "./contexts/bundled.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, textOf } from "./json-node.ts";

/** Whether there may be more contexts in a JSON text than one. */
export function mayNestContexts(text: string): boolean {
  const first = text.indexOf('"@context"');
  return (first >= 0 && text.includes('"@context"', first + 1)) || text.includes("@import") || text.includes("\\u");
}

/**
 * Whether a document names a remote context that is not bundled, at its top or anywhere below: in a nested node, in a
 * term's own context, by `@import`. No other form of it can be made then.
 *
 * Where contexts cannot nest and there is one at the top, it is all that is looked at.
 */
export function namesUnknownContext(document: JsonNode, mayNest: boolean): boolean {
  const top = mayNest ? undefined : memberOf(document, "@context");
  if (top !== undefined) return isUnknown(top);
  const stack: JsonNode[] = [document];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.kind === "object") {
      for (const { name, value } of node.members) {
        if ((name === "@context" || name === "@import") && isUnknown(value)) return true;
        if (value.kind === "object" || value.kind === "array") stack.push(value);
      }
    } else if (node.kind === "array") {
      for (const item of node.items) if (item.kind === "object" || item.kind === "array") stack.push(item);
    }
  }
  return false;
}

function isUnknown(context: JsonNode): boolean {
  const parts = context.kind === "array" ? context.items : [context];
  return parts.some((part) => part.kind === "string" && bundledContext(textOf(part.raw)) === undefined);
}
