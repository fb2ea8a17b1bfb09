import type { Repair } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import { duplicateKeysOf } from "./duplicate-keys.ts";
import type { JsonNode } from "./json-node.ts";
import { readNode } from "./json-node.ts";
import { closingIndex } from "./json-shape.ts";
import { INVISIBLE, plainBlanks, visibleBlanks } from "./repairs/gaps.ts";
import { joinSegments, mapSegments, segmentsOf } from "./repairs/segments.ts";
import type { TextRun } from "./text-runs.ts";
import { textRunsOf } from "./text-runs.ts";

/** An object or array that stands in a text for itself. */
export interface ProseItem {
  readonly value: JsonText;
  readonly quoted: boolean;
  readonly repaired: readonly Repair[];
  readonly duplicateKeys: readonly string[];
  /** Number of its first line in the text, from 1. */
  readonly line: number;
}

/** What begins like JSON in a text and is none. */
interface ProseFailure {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  readonly quoted: boolean;
}

export interface ProseReading {
  readonly items: readonly ProseItem[];
  readonly failures: readonly ProseFailure[];
  /** An object or array nests deeper than the limit. */
  readonly tooDeep: boolean;
  /** More than `maxItems` were found, and the rest was not looked for. */
  readonly tooMany: boolean;
}

export interface ProseOptions {
  /** Whether no-break spaces and invisible characters between tokens count as blanks. */
  readonly repair: boolean;
  readonly maxDepth: number;
  /** Equal ones count each: they are told apart later. */
  readonly maxItems: number;
}

const NOTHING: ProseReading = { items: [], failures: [], tooDeep: false, tooMany: false };
/** What mail clients and pages put around text: blanks of any kind. */
const OUTER = new RegExp(`^[\\s${INVISIBLE}]*`);
const LINE_START = /^[ \t]*[{[]/gm;
const BLANKS = /[ \t\r]*/y;
/** A first member name, or an array that begins with a string, object or array: nobody writes that in prose. */
const LIKE_JSON = /(?:\[\s*){0,9}(?:\{\s*"(?:[^"\\\n]|\\.){0,200}"\s*:|\[\s*"(?:[^"\\\n]|\\.){0,200}"\s*[,\]])/y;
const PARAGRAPH_END = /\n[ \t\r]*(?=\n)/g;

/**
 * JSON in a text that people wrote: the whole text, fenced blocks, or objects and arrays that stand alone, which means
 * that they begin where a line begins and end where a line ends.
 *
 * Only objects and arrays count. Amid prose they must say something: `{}`, `[]` and `[1]` are placeholders and footnote
 * marks there, while as the whole text or in a fence they are data. Quoted text (`> `) is read below its marks. What
 * begins like JSON but is damaged is reported, and nothing inside it is taken for an item. Linear in the text.
 */
export function findInProse(text: string, options: ProseOptions): ProseReading {
  if (!/[{[]/.test(text)) return NOTHING;
  const start = OUTER.exec(text)?.[0].length ?? 0;
  if (text[start] === "{" || text[start] === "[") {
    const whole = new RunReader({ text, line: 1, quoted: false, fenced: true }, options);
    if (whole.readWhole(start)) return whole;
  }
  const items: ProseItem[] = [];
  const failures: ProseFailure[] = [];
  for (const run of textRunsOf(text)) {
    const reader = new RunReader(run, options);
    const from = OUTER.exec(run.text)?.[0].length ?? 0;
    if (!run.fenced || !reader.readWhole(from)) reader.readAlone();
    // One by one: a call takes some hundred thousand arguments at most.
    for (const item of reader.items) items.push(item);
    for (const failure of reader.failures) failures.push(failure);
    const tooMany = items.length > options.maxItems || failures.length > options.maxItems;
    if (reader.tooDeep || tooMany) return { items, failures, tooDeep: reader.tooDeep, tooMany };
  }
  return { items, failures, tooDeep: false, tooMany: false };
}

/** Reads one run. Positions are those of the run's text, because foreign blanks are made plain one for one. */
class RunReader implements ProseReading {
  readonly items: ProseItem[] = [];
  readonly failures: ProseFailure[] = [];
  tooDeep = false;
  readonly tooMany = false;
  readonly #run: TextRun;
  readonly #options: ProseOptions;
  /** The run's text with foreign blanks as plain ones, the same length. */
  readonly #text: string;
  #lines = { index: 0, line: 0 };
  #paragraphEnd = -1;

  constructor(run: TextRun, options: ProseOptions) {
    this.#run = run;
    this.#options = options;
    this.#text = options.repair ? visibleBlanks(plainBlanks(run.text)) : run.text;
  }

  /** Takes the run when it is one value and nothing else. */
  readWhole(from: number): boolean {
    const text = this.#text;
    if (text[from] !== "{" && text[from] !== "[") return false;
    const reading = readNode(text, this.#options.maxDepth, from);
    if (reading.kind === "too-deep") return this.#isDeepJson(from);
    if (reading.kind === "invalid" || text.slice(reading.end).trim() !== "") return false;
    return this.#take(from, reading.end, reading.node);
  }

  /** Takes the values that begin and end with a line. */
  readAlone(): void {
    const text = this.#text;
    LINE_START.lastIndex = 0;
    for (let match = LINE_START.exec(text); match !== null && !this.#isFull(); match = LINE_START.exec(text))
      LINE_START.lastIndex = this.#readLineAt(match.index + match[0].length - 1);
  }

  #isFull(): boolean {
    const { maxItems } = this.#options;
    return this.tooDeep || this.items.length > maxItems || this.failures.length > maxItems;
  }

  /** Reads the values on the line that begins at `from`; where to go on looking. */
  #readLineAt(from: number): number {
    const text = this.#text;
    const found: { from: number; end: number; node: JsonNode }[] = [];
    for (let at = from; ;) {
      const reading = readNode(text, this.#options.maxDepth, at);
      if (reading.kind === "too-deep") {
        if (!this.#isDeepJson(at)) return closingIndex(text, at);
        return text.length;
      }
      if (reading.kind === "invalid") return this.#giveUp(from, reading.problem.offset, reading.problem.reason);
      found.push({ from: at, end: reading.end, node: reading.node });
      BLANKS.lastIndex = reading.end;
      at = reading.end + (BLANKS.exec(text)?.[0].length ?? 0);
      if (at >= text.length || text[at] === "\n") break;
      if (text[at] !== "{" && text[at] !== "[") return reading.end;
    }
    for (const value of found) if (saysSomething(value.node)) this.#take(value.from, value.end, value.node);
    return found.at(-1)?.end ?? from + 1;
  }

  #take(from: number, end: number, node: JsonNode): boolean {
    const plain = this.#text.slice(from, end);
    const sent = this.#run.text.slice(from, end);
    const { value, repaired } = sent === plain ? { value: sent, repaired: [] } : withPlainGaps(sent);
    this.items.push({
      value: value as JsonText,
      quoted: this.#run.quoted,
      repaired,
      duplicateKeys: duplicateKeysOf(node),
      line: this.#lineOf(from),
    });
    return true;
  }

  /** A limit counts for JSON only: six hundred brackets in a row are not. */
  #isDeepJson(from: number): boolean {
    try {
      JSON.parse(this.#text.slice(from, closingIndex(this.#text, from)));
      this.tooDeep = true;
    } catch {
      // No JSON, however deep: nothing to report.
    }
    return this.tooDeep;
  }

  /** Reports what began like JSON, and steps over all of it: a whole object inside a damaged one is no item. */
  #giveUp(from: number, offset: number, reason: string): number {
    const text = this.#text;
    LIKE_JSON.lastIndex = from;
    if (!LIKE_JSON.test(text)) return Math.max(from + 1, text.lastIndexOf("\n", offset));
    const line = this.#lineOf(offset);
    const column = offset - (text.lastIndexOf("\n", offset - 1) + 1) + 1;
    this.failures.push({ line, column, reason, quoted: this.#run.quoted });
    return Math.max(offset, closingIndex(text.slice(0, this.#paragraphEndAfter(offset)), from));
  }

  /** Kept, because many damaged lines may share one far end. */
  #paragraphEndAfter(offset: number): number {
    if (offset > this.#paragraphEnd) {
      PARAGRAPH_END.lastIndex = offset;
      this.#paragraphEnd = PARAGRAPH_END.exec(this.#text)?.index ?? this.#text.length;
    }
    return this.#paragraphEnd;
  }

  /** Line numbers are asked for in rising order: counting goes on where it stopped. */
  #lineOf(index: number): number {
    if (index < this.#lines.index) this.#lines = { index: 0, line: 0 };
    let { line } = this.#lines;
    for (let at = this.#text.indexOf("\n", this.#lines.index); at >= 0 && at < index;) {
      line += 1;
      at = this.#text.indexOf("\n", at + 1);
    }
    this.#lines = { index, line };
    return this.#run.line + line;
  }
}

/** Whether a value amid prose is data: not empty, and not a single whole number in brackets. */
function saysSomething(node: JsonNode): boolean {
  if (node.kind === "object") return node.members.length > 0;
  if (node.kind !== "array") return false;
  const [first, second] = node.items;
  return first !== undefined && (second !== undefined || first.kind !== "number" || !/^\d+$/.test(first.raw));
}

/** The text with foreign blanks made plain outside of strings, and what they are called: in a string they are the sender's. */
function withPlainGaps(text: string): { readonly value: string; readonly repaired: readonly Repair[] } {
  const segments = segmentsOf(text);
  if (segments === undefined) return { value: text, repaired: [] };
  const plain = joinSegments(mapSegments(segments, "gap", plainBlanks));
  const value = joinSegments(mapSegments(segments, "gap", (gap) => visibleBlanks(plainBlanks(gap))));
  const repaired: Repair[] = plain === text ? [] : ["nbsp"];
  if (value !== plain) repaired.push("invisible-characters");
  return { value, repaired };
}
