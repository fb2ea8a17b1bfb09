import { decodeAs } from "./charset.ts";

const ENCODED_WORD = /=\?([^?\s]{1,60})\?([bq])\?([^?]*)\?=/gi;
const BETWEEN_WORDS = /(\?=)(?:[ \t\r\n]+)(?==\?[^?\s]{1,60}\?[bq]\?[^?]*\?=)/gi;

/**
 * A header value with its encoded words decoded and its control characters replaced by blanks, so that no decoded line
 * end survives into a log or an event.
 *
 * Adjacent words of one charset are joined as bytes first: mailers cut characters in two (RFC 2047 §5, §6.2; RFC 2231 §5).
 */
export function decodeWords(value: string): string {
  if (!value.includes("=?")) return clean(value);
  const joined = value.replace(BETWEEN_WORDS, "$1");
  let text = "";
  let at = 0;
  let pending: { charset: string; bytes: Buffer[] } | undefined;
  const flush = () => {
    if (pending === undefined) return;
    const bytes = Buffer.concat(pending.bytes);
    text += decodeAs(bytes, pending.charset) ?? bytes.toString("utf8");
    pending = undefined;
  };
  for (const match of joined.matchAll(ENCODED_WORD)) {
    const [whole, label = "", encoding = "", encoded = ""] = match;
    const charset = label.replace(/\*.*$/, "").toLowerCase();
    if (match.index > at || pending?.charset !== charset) flush();
    text += joined.slice(at, match.index);
    pending ??= { charset, bytes: [] };
    pending.bytes.push(encoding.toLowerCase() === "b" ? Buffer.from(encoded, "base64") : decodeQ(encoded));
    at = match.index + whole.length;
  }
  flush();
  return clean(text + joined.slice(at));
}

function decodeQ(encoded: string): Buffer {
  const text = encoded
    .replaceAll("_", " ")
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  return Buffer.from(text, "latin1");
}

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]+/g;

function clean(text: string): string {
  return text.replace(CONTROL, " ");
}
