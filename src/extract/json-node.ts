import type { JsonText } from "../model/mail.ts";
import type { JsonProblem } from "./json-string.ts";
import { problemAt, problemInString, readString } from "./json-string.ts";
import { pointerToken } from "../lib/json-pointer.ts";

/** A JSON value with everything the sender wrote: member order, duplicate names, the digits of numbers, escapes. */
export type JsonNode = JsonObject | JsonArray | JsonScalar;

export interface JsonObject {
  readonly kind: "object";
  readonly members: { readonly name: string; readonly rawName: string; readonly value: JsonNode }[];
}

interface JsonArray {
  readonly kind: "array";
  readonly items: JsonNode[];
}

interface JsonScalar {
  readonly kind: "string" | "number" | "literal";
  /** The source text: `"a\u0062"`, `1.10`, `true`. */
  readonly raw: string;
}

export type NodeReading =
  | { readonly kind: "node"; readonly node: JsonNode; readonly end: number }
  | { readonly kind: "invalid"; readonly problem: JsonProblem }
  | { readonly kind: "too-deep" };

type Open =
  | { readonly node: JsonObject; name: { name: string; raw: string } | undefined; readonly seen: Set<string> }
  | { readonly node: JsonArray; name?: undefined; index: number };

/** What a reading keeps: the tree, or only the pointers of members whose name stands twice. */
type Keeping = { readonly kind: "tree" } | { readonly kind: "duplicates"; readonly pointers: Set<string> };

const TREE: Keeping = { kind: "tree" };
/** More would say nothing new, and their pointers could outgrow the value. */
export const MAX_DUPLICATES = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERALS = ["true", "false", "null"] as const;

/**
 * Reads one JSON value that starts at `from`, iteratively: depth is a number, not the engine's stack. Never throws.
 *
 * Keeping only duplicates, the tree is not built: its place in memory would be many times that of the text.
 *
 * Source: RFC 8259.
 */
export function readNode(text: string, maxDepth: number, from = 0, keeping = TREE): NodeReading {
  const stack: Open[] = [];
  let at = skipBlank(text, from);
  for (;;) {
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
          stack.push({ node, name: named, seen: new Set() });
          at = named.end;
          continue;
        }
      } else {
        const node: JsonArray = { kind: "array", items: [] };
        if (text[next] === "]") {
          done = node;
          at = next + 1;
        } else {
          stack.push({ node, index: 0 });
          at = next;
          continue;
        }
      }
    } else {
      const scalar = readScalar(text, at);
      if (scalar === undefined) return { kind: "invalid", problem: problemOf(text, at, "a value is expected") };
      done = scalar;
      at += scalar.raw.length;
    }
    const closed = close(text, at, stack, done, keeping);
    if ("kind" in closed) return closed;
    at = closed.at;
  }
}

/** Puts a finished value into what is open, and closes what ends behind it. */
function close(
  text: string,
  from: number,
  stack: Open[],
  value: JsonNode,
  keeping: Keeping,
): NodeReading | { readonly at: number } {
  let done = value;
  let at = from;
  for (;;) {
    const top = stack.at(-1);
    if (top === undefined) return { kind: "node", node: done, end: at };
    if (keeping.kind === "duplicates") noteMember(stack, top, keeping.pointers);
    else if (top.node.kind === "object" && top.name !== undefined)
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

/** A member or item is over: its name was seen, or is a duplicate; the next item has the next index. */
function noteMember(stack: readonly Open[], top: Open, duplicates: Set<string>): void {
  if (!("seen" in top)) top.index += 1;
  else if (top.name !== undefined) {
    const { name } = top.name;
    if (!top.seen.has(name)) top.seen.add(name);
    else if (duplicates.size < MAX_DUPLICATES) duplicates.add(stack.map(pointerStep).join(""));
  }
}

/** One step of a JSON Pointer (RFC 6901 §3). */
function pointerStep(open: Open): string {
  const token = "seen" in open ? (open.name?.name ?? "") : String(open.index);
  return `/${pointerToken(token)}`;
}

function readName(text: string, at: number): { name: string; raw: string; end: number } | { problem: JsonProblem } {
  const raw = readString(text, at);
  if (raw === undefined) return { problem: problemOf(text, at, "a member name in double quotes is expected") };
  const colon = skipBlank(text, at + raw.length);
  if (text[colon] !== ":") return { problem: problemAt(text, colon, '":" is expected') };
  return { name: textOf(raw), raw, end: skipBlank(text, colon + 1) };
}

function readScalar(text: string, at: number): JsonScalar | undefined {
  if (text[at] === '"') {
    const raw = readString(text, at);
    return raw === undefined ? undefined : { kind: "string", raw };
  }
  for (const raw of LITERALS) if (text.startsWith(raw, at)) return { kind: "literal", raw };
  NUMBER.lastIndex = at;
  const raw = NUMBER.exec(text)?.[0];
  return raw === undefined ? undefined : { kind: "number", raw };
}

function problemOf(text: string, at: number, expected: string): JsonProblem {
  return text[at] === '"' ? problemInString(text, at) : problemAt(text, at, expected);
}

function skipBlank(text: string, from: number): number {
  let at = from;
  let code = text.charCodeAt(at);
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
    at += 1;
    code = text.charCodeAt(at);
  }
  return at;
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

/** A tree as JSON text, everything as the sender wrote it but the blanks between tokens. Iterative. */
export function writeNode(node: JsonNode): JsonText {
  const pieces: string[] = [];
  const stack: (JsonNode | string)[] = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === "string") pieces.push(next);
    else if (next.kind === "object") {
      pieces.push("{");
      stack.push("}");
      for (let i = next.members.length - 1; i >= 0; i -= 1) {
        const member = next.members[i];
        if (member !== undefined) stack.push(member.value, `${i === 0 ? "" : ","}${member.rawName}:`);
      }
    } else if (next.kind === "array") {
      pieces.push("[");
      stack.push("]");
      for (let i = next.items.length - 1; i >= 0; i -= 1) {
        const item = next.items[i];
        if (item !== undefined) stack.push(item, i === 0 ? "" : ",");
      }
    } else pieces.push(next.raw);
  }
  return pieces.join("") as JsonText;
}

/** The value of the last member of that name: of duplicates the last one counts (contract §4). */
export function memberOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === "object" ? node.members.findLast((member) => member.name === name)?.value : undefined;
}
