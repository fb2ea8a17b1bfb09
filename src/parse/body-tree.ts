import type { JsonText } from "../model/mail.ts";
import type { FormField } from "./body-fields.ts";

/** How far the names of fields may reach. */
export interface TreeLimits {
  /** Brackets in one name. */
  readonly depth: number;
}

type Branch = Map<string, Slot>;
type Slot = { values: string[]; list: boolean } | Branch;

/**
 * The fields of a form as one JSON object, by this rule:
 *
 * 1. `a=1` is a member with a string. A name that comes again makes an array of its values, in the order sent.
 * 2. `a[]=1` is always an array, also with one value.
 * 3. `a[b]=1` is an object inside; `a[0]=…` to `a[n]=…` without a gap make an array.
 * 4. A name that is bracketed in another way, too deep, or at odds with an earlier one (`a=1&a[b]=2`) is a member under
 *    the name as it was written; a value for what is an object already (`a[b]=2&a=1`) is its member `""`. Nothing is lost.
 *
 * Members stand in the order in which their names came first. Written as text and never into an object of ours:
 * `__proto__` is a name like any other. Pure.
 */
export function treeOfFields(fields: readonly FormField[], limits: TreeLimits): JsonText {
  const root: Branch = new Map();
  for (const [name, value] of fields) {
    const path = pathOf(name);
    if (path === undefined || path.keys.length - 1 > limits.depth || !put(root, path, value))
      put(root, { keys: [name], list: false }, value);
  }
  return writeObject(root);
}

interface Path {
  readonly keys: readonly string[];
  /** It ended in `[]`. */
  readonly list: boolean;
}

const BRACKETS = /\[([^[\]]*)\]/y;

/** `a[b][]` as keys and a mark; undefined when the brackets do not make sense. */
function pathOf(name: string): Path | undefined {
  const first = name.indexOf("[");
  if (first < 0) return { keys: [name], list: false };
  if (first === 0) return undefined;
  const keys = [name.slice(0, first)];
  for (let at = first; at < name.length;) {
    BRACKETS.lastIndex = at;
    const key = BRACKETS.exec(name)?.[1];
    if (key === undefined) return undefined;
    at = BRACKETS.lastIndex;
    // `a[][b]` says no more than that somebody's library could not say which: only a last `[]` is a list.
    if (key === "") return at === name.length ? { keys, list: true } : undefined;
    keys.push(key);
  }
  return { keys, list: false };
}

/** Puts a value where its path leads; false when something else stands in the way. */
function put(root: Branch, { keys, list }: Path, value: string): boolean {
  let branch = root;
  for (let i = 0; i < keys.length - 1; i += 1) {
    const key = keys[i] ?? "";
    let next = branch.get(key);
    if (next === undefined) {
      next = new Map();
      branch.set(key, next);
    }
    if (!(next instanceof Map)) return false;
    branch = next;
  }
  const last = keys.at(-1) ?? "";
  const slot = branch.get(last);
  if (slot === undefined) branch.set(last, { values: [value], list });
  else if (slot instanceof Map) return put(slot, { keys: [""], list }, value);
  else {
    slot.values.push(value);
    slot.list = true;
  }
  return true;
}

/** Depth is bounded by the limit on brackets, so this may call itself. */
function write(branch: Branch): JsonText {
  const isList = branch.size > 0 && [...branch.keys()].every((key) => isIndexBelow(key, branch.size));
  if (isList) {
    const sorted = [...branch].sort(([a], [b]) => Number(a) - Number(b));
    return `[${sorted.map(([, slot]) => writeSlot(slot)).join(",")}]` as JsonText;
  }
  return writeObject(branch);
}

function writeObject(branch: Branch): JsonText {
  const members = [...branch].map(([key, slot]) => `${JSON.stringify(key)}:${writeSlot(slot)}`);
  return `{${members.join(",")}}` as JsonText;
}

const isIndexBelow = (key: string, size: number) => /^(?:0|[1-9]\d{0,4})$/.test(key) && Number(key) < size;

function writeSlot(slot: Slot): string {
  if (slot instanceof Map) return write(slot);
  return slot.list ? JSON.stringify(slot.values) : JSON.stringify(slot.values[0] ?? "");
}
