/** JSON as it was written: numbers, strings and keys keep their own text, members their order, duplicates stay. */
export type JsonTree =
  | { readonly kind: "object"; readonly members: readonly { readonly key: string; readonly value: JsonTree }[] }
  | { readonly kind: "array"; readonly items: readonly JsonTree[] }
  | { readonly kind: "scalar"; readonly text: string };

interface Open {
  readonly container:
    | { kind: "object"; members: { key: string; value: JsonTree }[] }
    | { kind: "array"; items: JsonTree[] };
  key: string;
}

const TOKEN = /\s*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|([^\s{}[\],:"]+))/gsy;

/**
 * Reads JSON that is known to be valid without changing a digit: `1152921506151679042` and `1.10` stay what they are,
 * where `JSON.parse` would round and shorten them. Walks without recursion. Undefined when the text is no JSON after all.
 */
export function parseJsonTree(text: string): JsonTree | undefined {
  const tokens = new RegExp(TOKEN);
  const open: Open[] = [];
  let root: JsonTree | undefined;
  const add = (value: JsonTree): boolean => {
    const parent = open.at(-1);
    if (parent === undefined) {
      if (root !== undefined) return false;
      root = value;
    } else if (parent.container.kind === "array") parent.container.items.push(value);
    else parent.container.members.push({ key: parent.key, value });
    return true;
  };
  let expectsKey = false;
  for (;;) {
    const at = tokens.lastIndex;
    const match = tokens.exec(text);
    if (match === null) return /^\s*$/.test(text.slice(at)) && open.length === 0 ? root : undefined;
    const [, mark, string, word] = match;
    if (mark === "{" || mark === "[") {
      const container: Open["container"] =
        mark === "{" ? { kind: "object", members: [] } : { kind: "array", items: [] };
      if (!add(container)) return undefined;
      open.push({ container, key: "" });
      expectsKey = mark === "{";
    } else if (mark === "}" || mark === "]") {
      if (open.pop() === undefined) return undefined;
      expectsKey = false;
    } else if (mark === ",") expectsKey = open.at(-1)?.container.kind === "object";
    else if (mark === ":") expectsKey = false;
    else if (string !== undefined && expectsKey) {
      const parent = open.at(-1);
      if (parent === undefined) return undefined;
      parent.key = string;
    } else if (!add({ kind: "scalar", text: string ?? word ?? "" })) return undefined;
  }
}

/** The member of an object by its name; undefined when there is none. The last one counts, as everywhere in JSON. */
export function memberOf(tree: JsonTree | undefined, name: string): JsonTree | undefined {
  return tree?.kind === "object" ? tree.members.findLast(({ key }) => unquoted(key) === name)?.value : undefined;
}

/** The text of a JSON string without its quotes and escapes; undefined for anything else. */
export function stringOf(tree: JsonTree | undefined): string | undefined {
  return tree?.kind === "scalar" && tree.text.startsWith('"') ? unquoted(tree.text) : undefined;
}

/** What a key or string says, its escapes resolved. */
function unquoted(text: string): string {
  return JSON.parse(text) as string;
}
