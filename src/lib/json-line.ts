import { pointerToken } from "./json-pointer.ts";

/** Where a value stands in a JSON text. */
export interface JsonPlace {
  readonly offset: number;
  /** 1-based. */
  readonly line: number;
}

// A string that never closes goes to the end: looked for from each quote on, it would be looked for again and again.
const TOKENS = /[{}[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"?|[^\s{}[\],:"]+/gs;

/**
 * Where the values that JSON Pointers name begin in a JSON text; a member begins at its name. What is missing stands where
 * its nearest parent does, and everything at the begin of a text that is no JSON. Of a name that comes twice the last counts.
 *
 * Source: RFC 6901.
 */
export function placesOfPointers(text: string, pointers: readonly string[]): JsonPlace[] {
  const wanted = new Set(pointers.flatMap((pointer) => [pointer, ...parentsOf(pointer)]));
  const offsets = offsetsIn(text, wanted);
  const lines = lineCounter(text);
  const places = new Map<string, JsonPlace>();
  const found = pointers.map((pointer) => {
    const there = [pointer, ...parentsOf(pointer)].find((one) => offsets.has(one));
    return { pointer, offset: offsets.get(there ?? "") ?? 0 };
  });
  for (const { pointer, offset } of found.toSorted((a, b) => a.offset - b.offset))
    places.set(pointer, { offset, line: lines(offset) });
  return pointers.map((pointer) => places.get(pointer) ?? { offset: 0, line: 1 });
}

/** The line (1-based) on which the value that a JSON Pointer names begins, as {@link placesOfPointers} finds it. */
export function lineOfPointer(text: string, pointer: string): number {
  return placesOfPointers(text, [pointer])[0]?.line ?? 1;
}

/** `/a` and "" of the pointer `/a/b`, the nearest first. */
export function parentsOf(pointer: string): string[] {
  const parents: string[] = [];
  for (let at = pointer.lastIndexOf("/"); at >= 0; at = at === 0 ? -1 : pointer.lastIndexOf("/", at - 1))
    parents.push(pointer.slice(0, at));
  return parents;
}

function offsetsIn(text: string, wanted: ReadonlySet<string>): Map<string, number> {
  const offsets = new Map<string, number>();
  /** The objects and arrays that are open: their pointer, and the key of the member that comes. */
  const open: { readonly pointer: string; key: string | number; readonly isArray: boolean }[] = [];
  let expectsKey = false;
  const here = () => {
    const inside = open.at(-1);
    return inside === undefined ? "" : `${inside.pointer}/${pointerToken(String(inside.key))}`;
  };
  const begin = (offset: number): string => {
    const pointer = here();
    if (wanted.has(pointer)) offsets.set(pointer, offset);
    return pointer;
  };
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    const inside = open.at(-1);
    if (token === "{" || token === "[") {
      // A member has begun where its name stands.
      const pointer = inside?.isArray === false ? here() : begin(index);
      open.push({ pointer, key: token === "[" ? 0 : "", isArray: token === "[" });
      expectsKey = token === "{";
    } else if (token === "}" || token === "]") {
      open.pop();
      expectsKey = false;
    } else if (token === ",") {
      if (inside?.isArray === true) inside.key = Number(inside.key) + 1;
      else expectsKey = true;
    } else if (token === ":") expectsKey = false;
    else if (expectsKey && inside !== undefined) {
      inside.key = keyOf(token);
      begin(index);
    } else if (inside?.isArray !== false) begin(index);
  }
  return offsets;
}

function keyOf(token: string): string {
  // To fail costs a thousand times as much as to look.
  if (!token.startsWith('"')) return token;
  try {
    return String(JSON.parse(token));
  } catch {
    // No JSON after all: the parser's own complaint is shown beside it.
    return token;
  }
}

/** The lines of offsets that ascend, so that a text is read once for all of them. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let read = 0;
  return (offset) => {
    for (let at = text.indexOf("\n", read); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
      line += 1;
      read = at + 1;
    }
    return line;
  };
}
