import { readText } from "./charset.ts";
import { isStateful } from "./charset-decoders.ts";
import { readLabel } from "./charset-labels.ts";
import { endsShifted } from "./iso-2022.ts";

const ENCODED_WORD = /=\?([^?\s]{1,60})\?([bq])\?([^?]*(?:(?<!=)\?(?!=)[^?]*){0,20})\?=/gi;
const BLANK = /^[ \t\r\n]*$/;

interface Word {
  /** As the table of labels calls it; for a label that nobody knows the label. */
  readonly charset: string;
  readonly isBase64: boolean;
  readonly encoded: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A header value with its encoded words decoded and its control characters replaced by blanks, so that no decoded line
 * end survives into a log or an event. Words in a charset that nobody here knows stay as they are written (RFC 2047 §6.2).
 *
 * Adjacent words of one charset are joined as bytes first, because mailers cut characters in two; where a word of the
 * charset begins anew each time, as in ISO-2022-JP, word by word (RFC 2047 §5, §6.2; RFC 2231 §5).
 */
export function decodeWords(value: string): string {
  if (!value.includes("=?")) return withoutControls(value);
  const out: string[] = [];
  let at = 0;
  let pending: Word[] = [];
  const flush = () => {
    const [first] = pending;
    if (first !== undefined) out.push(decoded(pending) ?? value.slice(first.start, pending.at(-1)?.end));
    pending = [];
  };
  for (const match of value.matchAll(ENCODED_WORD)) {
    const [whole, label = "", encoding = "", encoded = ""] = match;
    const charset = charsetOf(label);
    const between = value.slice(at, match.index);
    const isAdjacent = pending.length > 0 && BLANK.test(between);
    if (!isAdjacent || pending[0]?.charset !== charset) flush();
    if (!isAdjacent) out.push(between);
    at = match.index + whole.length;
    pending.push({ charset, isBase64: encoding.toLowerCase() === "b", encoded, start: match.index, end: at });
  }
  flush();
  out.push(value.slice(at));
  return withoutControls(out.join(""));
}

function charsetOf(label: string): string {
  const said = readLabel(label);
  return said.kind === "unknown" ? (label.split("*", 1)[0] ?? "").toLowerCase() : said.charset;
}

/** The text of adjacent words of one charset; `undefined` when nobody knows it. */
function decoded(words: readonly Word[]): string | undefined {
  const text = textOf(words, isSurelyCut);
  if (text === undefined || !/[\p{Cc}\uFFFD]/u.test(text)) return text;
  const joined = textOf(words, isPerhapsCut);
  return joined === undefined || /[\p{Cc}\uFFFD]/u.test(joined) ? text : joined;
}

function textOf(words: readonly Word[], isCut: typeof isSurelyCut): string | undefined {
  const charset = words[0]?.charset ?? "";
  const pieces = piecesOf(words, isCut);
  const wholes = isStateful(charset) ? rejoined(pieces) : [Buffer.concat(pieces)];
  const texts = wholes.map((bytes) => readText(bytes, charset, "text"));
  const isUnknown = texts.some(({ fidelity }) => fidelity === "unknown-charset");
  return isUnknown ? undefined : texts.map(({ text }) => text).join("");
}

/** The bytes of each word; base64 that was cut at any digit goes on in the next one. */
function piecesOf(words: readonly Word[], isCut: typeof isSurelyCut): Buffer[] {
  const pieces: Buffer[] = [];
  let open: string[] = [];
  let digits = 0;
  for (const [index, { isBase64, encoded }] of words.entries()) {
    if (!isBase64) {
      pieces.push(decodeQ(encoded));
      continue;
    }
    const text = encoded.replace(/\s+/g, "");
    open.push(text);
    digits += text.length;
    const next = words[index + 1];
    if (next?.isBase64 === true && !text.endsWith("=") && isCut(text, digits % 4, next.encoded)) continue;
    pieces.push(Buffer.from(open.join(""), "base64"));
    open = [];
    digits = 0;
  }
  return pieces;
}

const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Whether base64 goes on in the next word: its last digits, `over` of them past the last group, stand for no whole byte, or
 * those of the next word do not without them. Else it may only lack its padding.
 */
function isSurelyCut(text: string, over: number, next: string): boolean {
  if (over === 0) return false;
  const last = BASE64_DIGITS.indexOf(text.at(-1) ?? "");
  const spare = over === 2 ? last & 15 : over === 3 ? last & 3 : 1;
  return spare !== 0 || next.replace(/[\s=]+/g, "").length % 4 === 1;
}

function isPerhapsCut(_text: string, over: number): boolean {
  return over !== 0;
}

/**
 * Words of a stateful charset as the texts they are parts of. Each is one of its own, as the standard demands (RFC 2047
 * §3); one that breaks off in the middle of a shift goes on in a word that only shifts back.
 */
function rejoined(pieces: readonly Buffer[]): Buffer[] {
  const texts: Buffer[][] = [];
  for (const piece of pieces) {
    const before = texts.at(-1)?.at(-1);
    if (before !== undefined && endsShifted(before) && shiftsBack(piece)) texts.at(-1)?.push(piece);
    else texts.push([piece]);
  }
  return texts.map((text) => Buffer.concat(text));
}

// eslint-disable-next-line no-control-regex -- escape, shift out and shift in are what is looked for
const FIRST_SHIFT = /\u001b(?:\(|\$|[^\u001b])|[\u000e\u000f]/;

/** Whether the first shift in a word leads back to ASCII: it began in the middle of something else. */
function shiftsBack(piece: Buffer): boolean {
  const first = FIRST_SHIFT.exec(piece.toString("latin1"))?.[0];
  return first === "\u001b(" || first === "\u000f";
}

function decodeQ(encoded: string): Buffer {
  const text = encoded
    .replaceAll("_", " ")
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  // Raw characters beyond ASCII do not belong here; they were UTF-8 when the header was.
  return /[\u0100-\uFFFF]/.test(text) ? Buffer.from(text) : Buffer.from(text, "latin1");
}

const CONTROL = /[\p{Cc}\u2028\u2029]+/u;
const CONTROLS = new RegExp(CONTROL, "gu");

/** The text with each run of control characters, among them all line ends of Unicode, replaced by one blank. */
export function withoutControls(text: string): string {
  return CONTROL.test(text) ? text.replace(CONTROLS, " ") : text;
}
