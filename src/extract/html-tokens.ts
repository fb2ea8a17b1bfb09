import { ScriptEnds, textElementEnd } from "./html-text-end.ts";

/** A tag as it stands in the text; positions are offsets into it. */
export interface Tag {
  /** Lower case. */
  readonly name: string;
  readonly closes: boolean;
  /** It ends in `/>`, which only counts in SVG and MathML. */
  readonly selfClosing: boolean;
  readonly start: number;
  /** Behind the name, where the attributes begin. */
  readonly attributes: number;
  /** Behind the `>`. */
  readonly end: number;
  /** Where the text of an element without markup inside (script, style, textarea …) ends; `end` for all others. */
  readonly textEnd: number;
  /** It stands in the contents of a `template`, which are no part of the document. */
  readonly inTemplate: boolean;
}

/** Names in lower case, prepared so that most tags are passed over without their name being read. */
export interface TagNames {
  readonly names: Pick<ReadonlySet<string>, "has">;
  /** Per first letter a bit for each length. */
  readonly lengths: Uint32Array;
}

/** Elements whose text holds no markup, with scripting off (WHATWG HTML §13.2.6.4.4, §13.2.6.4.7). */
const TEXT_ELEMENTS: readonly string[] = "script style title textarea xmp iframe noembed noframes".split(" ");
/** Elements that change how the text behind them is read. */
const SWITCHES: readonly string[] = [...TEXT_ELEMENTS, "plaintext", "template", "svg", "math"];
const IS_TEXT_ELEMENT: ReadonlySet<string> = new Set(TEXT_ELEMENTS);
const COMMENT_END = /--!?>/g;

export function tagNames(...names: string[]): TagNames {
  const lengths = new Uint32Array(32);
  for (const name of [...names, ...SWITCHES]) {
    const letter = name.charCodeAt(0) & 31;
    lengths[letter] = (lengths[letter] ?? 0) | (1 << name.length);
  }
  return { names: new Set(names), lengths };
}

/**
 * Calls `visit` for each tag of the wanted names, in order, going from `<` to `<` without building a tree; linear.
 *
 * Comments, declarations, quoted attribute values and the text of raw-text elements are passed over as a browser with
 * scripting off does it, so `noscript` is markup. What a tree would be needed for is left out: a raw-text element counts
 * wherever its tag stands. Source: WHATWG HTML §13.2.5.
 */
export function scanTags(html: string, { names, lengths }: TagNames, visit: (tag: Tag) => void): void {
  const scripts = new ScriptEnds(html);
  let templates = 0;
  let foreign = 0;
  for (let at = html.indexOf("<"); at >= 0;) {
    const closes = html.charCodeAt(at + 1) === SLASH;
    const nameStart = closes ? at + 2 : at + 1;
    const letter = html.charCodeAt(nameStart) | 0x20;
    if (!(letter >= 0x61 && letter <= 0x7a)) {
      at = next(html, afterDeclaration(html, at, foreign > 0));
      continue;
    }
    const nameEnd = afterName(html, nameStart);
    const end = afterTag(html, nameEnd);
    // A tag that the end of the text cuts off is none (§13.2.5, "eof-in-tag").
    if (end < 0) return;
    const length = nameEnd - nameStart;
    if (length > 31 || (((lengths[letter & 31] ?? 0) >>> length) & 1) === 0) {
      at = next(html, end);
      continue;
    }
    const name = html.slice(nameStart, nameEnd).toLowerCase();
    const selfClosing = html.charCodeAt(end - 2) === SLASH;
    const isEmpty = selfClosing && foreign > 0;
    let textEnd = end;
    if (!closes && !isEmpty && IS_TEXT_ELEMENT.has(name))
      textEnd = name === "script" ? scripts.endOf(end) : textElementEnd(html, end, name);
    if (names.has(name))
      visit({ name, closes, selfClosing, start: at, attributes: nameEnd, end, textEnd, inTemplate: templates > 0 });
    if (name === "plaintext" && !closes) return;
    const step = closes ? -1 : 1;
    if (name === "template" && foreign === 0) templates = Math.max(0, templates + step);
    else if ((name === "svg" || name === "math") && !(selfClosing && !closes)) foreign = Math.max(0, foreign + step);
    at = next(html, textEnd);
  }
}

const SLASH = 0x2f;
const GREATER = 0x3e;
const EQUALS = 0x3d;

function next(html: string, from: number): number {
  return from >= html.length ? -1 : html.indexOf("<", from);
}

/** Tab, line feed, form feed, carriage return or space. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b);
}

function afterName(html: string, from: number): number {
  for (let at = from; ; at += 1) {
    const code = html.charCodeAt(at);
    if (code === GREATER || code === SLASH || isBlank(code) || Number.isNaN(code)) return at;
  }
}

/** Behind the `>` of the tag whose attributes begin at `from`; -1 when the text ends before (§13.2.5.32 to §13.2.5.40). */
function afterTag(html: string, from: number): number {
  for (let at = from; ;) {
    const code = html.charCodeAt(at);
    if (code === GREATER) return at + 1;
    if (Number.isNaN(code)) return -1;
    at = code === SLASH || isBlank(code) ? at + 1 : afterAttribute(html, at);
    if (at < 0) return -1;
  }
}

/** Behind the attribute whose name begins at `from`; -1 when its quote never closes. */
function afterAttribute(html: string, from: number): number {
  // A "=" in first place belongs to the name.
  let at = afterAttributeName(html, from + 1);
  at = afterBlanks(html, at);
  if (html.charCodeAt(at) !== EQUALS) return at;
  at = afterBlanks(html, at + 1);
  const quote = html[at];
  if (quote === '"' || quote === "'") {
    const close = html.indexOf(quote, at + 1);
    return close < 0 ? -1 : close + 1;
  }
  for (let code = html.charCodeAt(at); !(code === GREATER || isBlank(code) || Number.isNaN(code));)
    code = html.charCodeAt((at += 1));
  return at;
}

function afterAttributeName(html: string, from: number): number {
  for (let at = from; ; at += 1) {
    const code = html.charCodeAt(at);
    if (code === EQUALS || code === GREATER || code === SLASH || isBlank(code) || Number.isNaN(code)) return at;
  }
}

function afterBlanks(html: string, from: number): number {
  let at = from;
  while (isBlank(html.charCodeAt(at))) at += 1;
  return at;
}

/** The attributes as [name as written, value as written], `span` telling where the value stands without its quotes. */
export function* attributesIn(
  html: string,
  tag: Pick<Tag, "attributes" | "end">,
): Generator<{ readonly name: string; readonly valueStart: number; readonly valueEnd: number }> {
  const last = tag.end - 1;
  for (let at = tag.attributes; at < last;) {
    const code = html.charCodeAt(at);
    if (code === SLASH || isBlank(code)) {
      at += 1;
      continue;
    }
    const nameEnd = afterAttributeName(html, at + 1);
    const name = html.slice(at, nameEnd);
    const end = afterAttribute(html, at);
    const equals = afterBlanks(html, nameEnd);
    if (html.charCodeAt(equals) === EQUALS) {
      const start = afterBlanks(html, equals + 1);
      const isQuoted = html[start] === '"' || html[start] === "'";
      yield { name, valueStart: isQuoted ? start + 1 : start, valueEnd: isQuoted ? end - 1 : end };
    } else yield { name, valueStart: nameEnd, valueEnd: nameEnd };
    at = end;
  }
}

/** Behind a comment, a declaration or a processing instruction that opens at `at`; behind the `<` when it is only text. */
function afterDeclaration(html: string, at: number, inForeign: boolean): number {
  const character = html[at + 1];
  if (character === "!") {
    if (html.startsWith("--", at + 2)) return afterComment(html, at);
    if (inForeign && html.startsWith("[CDATA[", at + 2)) return behind(html, "]]>", at + 9);
    return behind(html, ">", at + 2);
  }
  if (character === "?" || (character === "/" && at + 2 < html.length)) return behind(html, ">", at + 2);
  return at + 1;
}

/** A comment ends at `-->` or `--!>`; `<!-->` and `<!--->` are empty ones. Without an end it takes the rest. */
function afterComment(html: string, at: number): number {
  if (html.startsWith(">", at + 4)) return at + 5;
  if (html.startsWith("->", at + 4)) return at + 6;
  COMMENT_END.lastIndex = at + 4;
  return COMMENT_END.exec(html) === null ? html.length : COMMENT_END.lastIndex;
}

function behind(html: string, end: string, from: number): number {
  const found = html.indexOf(end, from);
  return found < 0 ? html.length : found + end.length;
}
