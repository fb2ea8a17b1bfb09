import { visibleBlanks } from "./gaps.ts";

const COMMENT_START = /^\s*(?:(?:\/\/|\/\*)\s*)?(?:<!--|-->)(?:\s*\*\/)?/;
const COMMENT_END = /(?:\/\/\s*|\/\*\s*)?-->(?:\s*\*\/)?\s*$/;
const CDATA_START = /^\s*(?:(?:\/\/|\/\*)\s*)?<!\[CDATA\[(?:\s*(?:\*\/|\/\/\s*>))?/;
const CDATA_END = /(?:\/\/\s*|\/\*\s*)?(?:<!)?\]\]>(?:\s*\*\/)?\s*$/;

/** The text without a byte order mark at its start. */
export function takeOffBom(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/**
 * The text without an HTML comment around it; one end may be missing. Only the outermost: a `-->` inside a string belongs to
 * the sender. A whole comment before or behind the JSON (`<!-- our order -->`) goes as well.
 */
export function takeOffHtmlComment(text: string): string {
  return withoutLastComment(withoutFirstComment(text)).replace(COMMENT_START, "").replace(COMMENT_END, "");
}

const JSON_IN_COMMENT = /^<!--(?:\s*\/\/)?\s*(?:[{["</]|-->|(?:true|false|null|-?\d[\d.eE+-]*)\s*(?:-->|$))/;

/** A comment that JSON does not follow at once has an end of its own. */
function withoutFirstComment(text: string): string {
  if (!text.startsWith("<!--") || JSON_IN_COMMENT.test(text)) return text;
  const end = text.indexOf("-->");
  return end < 0 ? text : text.slice(end + 3);
}

function withoutLastComment(text: string): string {
  const start = text.endsWith("-->") ? text.lastIndexOf("<!--") : -1;
  return start <= 0 || /[}\]"]/.test(text.slice(start)) ? text : text.slice(0, start);
}

/** The text without a CDATA section around it, also one that scripts hide in a comment; one end may be missing. */
export function takeOffCdata(text: string): string {
  return text.replace(CDATA_START, "").replace(CDATA_END, "");
}

/** The text without semicolons at its end, as after a JavaScript statement. */
export function takeOffSemicolon(text: string): string {
  let end = text.length;
  while (end > 0 && /[;\s]/.test(text[end - 1] ?? "")) end -= 1;
  return text.slice(end).includes(";") ? text.slice(0, end) : text;
}

/** The text without foreign blanks (no-break spaces and their kin) at its ends. */
export function takeOffForeignBlanks(text: string): string {
  return text.trim();
}

/** The text without invisible characters at its ends. */
export function takeOffInvisible(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isInvisible(text[start])) start += 1;
  while (end > start && isInvisible(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isInvisible(character: string | undefined): boolean {
  return character !== undefined && character > "\u007f" && visibleBlanks(character) === " ";
}
