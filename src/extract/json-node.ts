import type { JsonText } from "../model/mail.ts";

/** A JSON value with everything the sender wrote: member order, duplicate names, the digits of numbers, escapes. */
export type JsonNode = JsonObject | JsonArray | JsonScalar;

export interface JsonObject {
  readonly kind: "object";
  readonly members: { readonly name: string; readonly rawName: string; readonly value: JsonNode }[];
}

export interface JsonArray {
  readonly kind: "array";
  readonly items: JsonNode[];
}

export interface JsonScalar {
  readonly kind: "string" | "number" | "literal";
  /** The source text: `"a\u0062"`, `1.10`, `true`. */
  readonly raw: string;
}

/** Where and why a text is no JSON: an offset into it, and the position a person counts, from 1. */
export interface JsonProblem {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

export type NodeReading =
  | { readonly kind: "node"; readonly node: JsonNode; readonly end: number }
  | { readonly kind: "invalid"; readonly problem: JsonProblem }
  | { readonly kind: "too-deep" };

type Open =
  | { readonly node: JsonObject; name: { name: string; raw: string } | undefined }
  | { readonly node: JsonArray; name?: undefined };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- raw control characters are what ends a valid string early
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const LITERAL = /true|false|null/y;
const BLANK = /[ \t\n\r]*/y;

/**
 * Reads one JSON value that starts at `from`, iteratively: depth is a number, not the engine's stack. Never throws.
 *
 * Source: RFC 8259.
 */
export function readNode(text: string, maxDepth: number, from = 0): NodeReading {
  const stack: Open[] = [];
  let at = skipBlank(text, from);
  for (;;) {
    const top = stack.at(-1);
    const character = text[at];
    let done: JsonNode | undefined;
    if (character === "{" || character === "[") {
      if (stack.length >= maxDepth) return { kind: "too-deep" };
      const next = skipBlank(text, at + 1);
      if (character === "{") {
        const node: JsonObject = { kind: "object", members: [] };
        if (text[next] === "}") {
          done = node;
          at = next + 1;
        } else {
          const named = readName(text, next);
          if ("problem" in named) return { kind: "invalid", problem: named.problem };
          stack.push({ node, name: named });
          at = named.end;
          continue;
        }
      } else {
        const node: JsonArray = { kind: "array", items: [] };
        if (text[next] === "]") {
          done = node;
          at = next + 1;
        } else {
          stack.push({ node });
          at = next;
          continue;
        }
      }
    } else {
      const scalar = readScalar(text, at);
      if (scalar === undefined)
        return {
          kind: "invalid",
          problem: problemAt(text, at, top === undefined ? "a JSON value is expected" : "a value is expected"),
        };
      done = scalar;
      at += scalar.raw.length;
    }
    const closed = close(text, at, stack, done);
    if ("kind" in closed) return closed;
    at = closed.at;
  }
}

/** Puts a finished value into what is open, and closes what ends behind it. */
function close(text: string, from: number, stack: Open[], value: JsonNode): NodeReading | { readonly at: number } {
  let done = value;
  let at = from;
  for (;;) {
    const top = stack.at(-1);
    if (top === undefined) return { kind: "node", node: done, end: at };
    if (top.node.kind === "object" && top.name !== undefined)
      top.node.members.push({ name: top.name.name, rawName: top.name.raw, value: done });
    else if (top.node.kind === "array") top.node.items.push(done);
    at = skipBlank(text, at);
    const character = text[at];
    const closer = top.node.kind === "object" ? "}" : "]";
    if (character === closer) {
      stack.pop();
      done = top.node;
      at += 1;
      continue;
    }
    if (character !== ",") return { kind: "invalid", problem: problemAt(text, at, `"," or "${closer}" is expected`) };
    at = skipBlank(text, at + 1);
    if (top.node.kind === "array") return { at };
    const named = readName(text, at);
    if ("problem" in named) return { kind: "invalid", problem: named.problem };
    top.name = named;
    return { at: named.end };
  }
}

function readName(text: string, at: number): { name: string; raw: string; end: number } | { problem: JsonProblem } {
  STRING.lastIndex = at;
  const raw = STRING.exec(text)?.[0];
  if (raw === undefined) return { problem: problemAt(text, at, "a member name in double quotes is expected") };
  const colon = skipBlank(text, at + raw.length);
  if (text[colon] !== ":") return { problem: problemAt(text, colon, '":" is expected') };
  return { name: textOf(raw), raw, end: skipBlank(text, colon + 1) };
}

function readScalar(text: string, at: number): JsonScalar | undefined {
  for (const [kind, shape] of [
    ["string", STRING],
    ["number", NUMBER],
    ["literal", LITERAL],
  ] as const) {
    shape.lastIndex = at;
    const raw = shape.exec(text)?.[0];
    if (raw !== undefined) return { kind, raw };
  }
  return undefined;
}

function skipBlank(text: string, at: number): number {
  const code = text.codePointAt(at) ?? 0x21;
  if (code > 0x20) return at;
  BLANK.lastIndex = at;
  BLANK.exec(text);
  return BLANK.lastIndex;
}

function problemAt(text: string, offset: number, reason: string): JsonProblem {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - (before.lastIndexOf("\n") + 1) + 1;
  return { offset, line, column, reason: offset >= text.length ? `${reason}, but the text ends` : reason };
}

/** The characters that a JSON string stands for. */
export function textOf(raw: string): string {
  return raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

/** The tree of a text that is valid JSON already and not deeper than the limit it was read with. */
export function parseNode(text: JsonText): JsonNode {
  const reading = readNode(text, Number.MAX_SAFE_INTEGER);
  if (reading.kind !== "node") throw new TypeError("parseNode was given text that is no JSON");
  return reading.node;
}

/** A tree as JSON text, everything as the sender wrote it but the blanks between tokens. */
export function writeNode(node: JsonNode): JsonText {
  const pieces: string[] = [];
  const stack: (JsonNode | string)[] = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === "string") pieces.push(next);
    else if (next.kind === "object") {
      stack.push("}");
      for (const [index, { rawName, value }] of [...next.members.entries()].toReversed())
        stack.push(value, `${index === 0 ? "" : ","}${rawName}:`);
      stack.push("{");
    } else if (next.kind === "array") {
      stack.push("]");
      for (const [index, item] of [...next.items.entries()].toReversed()) stack.push(item, index === 0 ? "" : ",");
      stack.push("[");
    } else pieces.push(next.raw);
  }
  return pieces.join("") as JsonText;
}

/** The value of the last member of that name: of duplicates the last one counts (contract §4). */
export function memberOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  if (node?.kind !== "object") return undefined;
  for (let i = node.members.length - 1; i >= 0; i -= 1) {
    const member = node.members[i];
    if (member?.name === name) return member.value;
  }
  return undefined;
}

/** JSON Pointers (RFC 6901) of members whose name stands twice in its object. */
export function duplicateKeysOf(node: JsonNode): string[] {
  const found: string[] = [];
  const stack: { node: JsonNode; pointer: string }[] = [{ node, pointer: "" }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node: current, pointer } = next;
    if (current.kind === "array")
      for (const [index, item] of current.items.entries()) stack.push({ node: item, pointer: `${pointer}/${index}` });
    if (current.kind !== "object") continue;
    const seen = new Set<string>();
    for (const { name, value } of current.members) {
      const own = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (seen.has(name)) found.push(own);
      seen.add(name);
      stack.push({ node: value, pointer: own });
    }
  }
  return found;
}

/**
 * A text that two values share exactly when they are equal as JSON values: key order and escapes do not count, the digits
 * of numbers do (`1.0` and `1` differ).
 */
export function canonicalOf(node: JsonNode): string {
  switch (node.kind) {
    case "object": {
      const last = new Map(node.members.map(({ name, value }) => [name, value]));
      const members = [...last]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${JSON.stringify(name)}:${canonicalOf(value)}`);
      return `{${members.join(",")}}`;
    }
    case "array":
      return `[${node.items.map(canonicalOf).join(",")}]`;
    case "string":
      return JSON.stringify(textOf(node.raw));
    default:
      return node.raw;
  }
}
