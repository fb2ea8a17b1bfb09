import type { JsonText } from "../model/mail.ts";
import type { JsonNode } from "./json-node.ts";
import { readNode } from "./json-node.ts";
import { plainBlanks } from "./repairs/gaps.ts";

/** An object or array that stands in a text for itself. */
export interface ProseItem {
  readonly value: JsonText;
  readonly quoted: boolean;
}

interface Run {
  readonly text: string;
  readonly quoted: boolean;
}

const FENCE = /^[ \t]*(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^[ \t]*\1[ \t]*$/gm;
const LINE_START = /^[ \t]*[{[]/gm;

/**
 * JSON amid prose: the whole text, fenced blocks, or objects and arrays that begin and end at a line's ends.
 *
 * Braces alone make no item: an object needs a member and an array an object, unless the text is nothing else. Quoted
 * text (`> `) is read below its marks. Every candidate stops at the depth limit, so the time stays linear.
 */
export function findInProse(text: string, maxDepth: number): ProseItem[] {
  if (!text.includes("{") && !text.includes("[")) return [];
  return runsOf(text).flatMap((run) => {
    const found = inRun(run, maxDepth);
    // Mail clients write runs of blanks as no-break spaces; outside of strings they are blanks.
    return found.length > 0 || !run.text.includes("\u00a0")
      ? found
      : inRun({ ...run, text: withPlainGaps(run.text) }, maxDepth);
  });
}

function inRun({ text, quoted }: Run, maxDepth: number): ProseItem[] {
  const whole = valueAt(text, text.search(/[^\s]/), maxDepth);
  if (whole !== undefined && text.slice(whole.end).trim() === "") return [{ value: whole.value, quoted }];
  const fenced = [...text.matchAll(FENCE)].flatMap(([, , inside = ""]) => {
    const found = valueAt(inside, inside.search(/[^\s]/), maxDepth);
    return found !== undefined && inside.slice(found.end).trim() === "" ? [{ value: found.value, quoted }] : [];
  });
  if (fenced.length > 0) return fenced;
  const alone: ProseItem[] = [];
  LINE_START.lastIndex = 0;
  for (let match = LINE_START.exec(text); match !== null; match = LINE_START.exec(text)) {
    const found = valueAt(text, match.index + match[0].length - 1, maxDepth);
    if (
      found === undefined ||
      !standsAlone(found.node) ||
      !/^[ \t\r]*(?:\n|$)/.test(text.slice(found.end, found.end + 200))
    )
      continue;
    alone.push({ value: found.value, quoted });
    LINE_START.lastIndex = found.end;
  }
  return alone;
}

function valueAt(
  text: string,
  at: number,
  maxDepth: number,
): { value: JsonText; node: JsonNode; end: number } | undefined {
  if (text[at] !== "{" && text[at] !== "[") return undefined;
  const reading = readNode(text, maxDepth, at);
  return reading.kind === "node"
    ? { value: text.slice(at, reading.end) as JsonText, node: reading.node, end: reading.end }
    : undefined;
}

function standsAlone(node: JsonNode): boolean {
  if (node.kind === "object") return node.members.length > 0;
  return node.kind === "array" && node.items.some((item) => item.kind === "object");
}

/** Runs of lines of one quote depth, their marks taken off. */
function runsOf(text: string): Run[] {
  if (!/^[ \t]?>/m.test(text)) return [{ text, quoted: false }];
  const runs: { depth: number; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const marks = /^(?:[ \t]?>)+/.exec(line)?.[0] ?? "";
    const depth = marks.replace(/[^>]/g, "").length;
    const content = depth === 0 ? line : line.slice(marks.length).replace(/^ /, "");
    const last = runs.at(-1);
    if (last?.depth === depth) last.lines.push(content);
    else runs.push({ depth, lines: [content] });
  }
  return runs.map(({ depth, lines }) => ({ text: lines.join("\n"), quoted: depth > 0 }));
}

/** The text with foreign blanks made plain outside of double quotes. */
function withPlainGaps(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|[^"]+/g, (piece) => (piece.startsWith('"') ? piece : plainBlanks(piece)));
}
