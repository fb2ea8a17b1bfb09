import { decodeText } from "./charset.ts";

const ENCODED_WORD = /=\?([^?\s]{1,60})\?([bq])\?([^?]*(?:(?<!=)\?(?!=)[^?]*){0,20})\?=/gi;
const BLANK = /^[ \t\r\n]*$/;

interface Word {
  readonly charset: string;
  readonly isBase64: boolean;
  readonly encoded: string;
}

/**
 * A header value with its encoded words decoded and its control characters replaced by blanks, so that no decoded line
 * end survives into a log or an event.
 *
 * Adjacent words of one charset are joined as bytes first: mailers cut characters in two (RFC 2047 §5, §6.2; RFC 2231 §5).
 */
export function decodeWords(value: string): string {
  if (!value.includes("=?")) return withoutControls(value);
  const out: string[] = [];
  let at = 0;
  let pending: Word[] = [];
  const flush = () => {
    if (pending.length > 0) out.push(decoded(pending));
    pending = [];
  };
  for (const match of value.matchAll(ENCODED_WORD)) {
    const [whole, label = "", encoding = "", encoded = ""] = match;
    const charset = label.replace(/\*.*$/, "").toLowerCase();
    const between = value.slice(at, match.index);
    const isAdjacent = pending.length > 0 && BLANK.test(between);
    if (!isAdjacent || pending[0]?.charset !== charset) flush();
    if (!isAdjacent) out.push(between);
    pending.push({ charset, isBase64: encoding.toLowerCase() === "b", encoded });
    at = match.index + whole.length;
  }
  flush();
  out.push(value.slice(at));
  return withoutControls(out.join(""));
}

function decoded(words: readonly Word[]): string {
  const bytes: Buffer[] = [];
  // Base64 that was cut at any character goes on in the next word.
  let open: string[] = [];
  let digits = 0;
  for (const [index, { isBase64, encoded }] of words.entries()) {
    if (!isBase64) {
      bytes.push(decodeQ(encoded));
      continue;
    }
    const text = encoded.replace(/\s+/g, "");
    open.push(text);
    digits += text.length;
    if (words[index + 1]?.isBase64 === true && digits % 4 !== 0 && !text.endsWith("=")) continue;
    bytes.push(Buffer.from(open.join(""), "base64"));
    open = [];
    digits = 0;
  }
  return decodeText(Buffer.concat(bytes), words[0]?.charset, false);
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
