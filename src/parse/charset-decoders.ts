import { isUtf8 } from "node:buffer";
import type { TextDecoder as Decoder } from "node:util";

import iconv from "iconv-lite";

import type { Fidelity } from "../model/mail-part.ts";
import { decodeIso2022 } from "./iso-2022.ts";
import { fromHz, fromUtf7 } from "./seven-bit-charsets.ts";

/** Bytes as text, and how far the text can be trusted. */
export interface DecodedText {
  readonly text: string;
  readonly fidelity: Fidelity;
}

const REPLACEMENT = "\uFFFD";

/** Charsets of seven bits that switch between sets of characters: what a byte means depends on those before it. */
const STATEFUL = new Set(["utf-7", "hz-gb-2312", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn"]);

/** Whether a text of this charset must be decoded from its beginning on. */
export function isStateful(charset: string): boolean {
  return STATEFUL.has(charset);
}

/**
 * The text of `buffer` in a charset of the table of labels: `lossy` when some bytes are no characters of it. A mark at the
 * start of UTF-8, UTF-16 and UTF-32 is no part of the text.
 */
export function decodeCharset(buffer: Buffer, charset: string): DecodedText {
  // TextDecoder takes no views of shared memory.
  const bytes = buffer.buffer instanceof SharedArrayBuffer ? Buffer.from(buffer) : buffer;
  switch (charset) {
    case "utf-8":
      return { text: bytes.toString("utf8").replace(/^\uFEFF/, ""), fidelity: isUtf8(bytes) ? "exact" : "lossy" };
    case "us-ascii":
      return decodeCharset(bytes, "windows-1252");
    case "utf-7":
      return byDecoder(fromUtf7(bytes), "utf-16le");
    case "hz-gb-2312":
      return byDecoder(fromHz(bytes), "gb18030");
    case "iso-2022-jp":
      return of(decodeIso2022(bytes, "katakana"));
    case "iso-2022-kr":
      return of(decodeIso2022(bytes, "korean"));
    case "iso-2022-cn":
      return of(decodeIso2022(bytes, "gb"));
    case "euc-kr":
      // Node's decoder of Korean knows fewer characters than the standard's: no windows-949.
      return byIconv(bytes, "cp949");
    case "big5":
      return big5(bytes);
    default:
      return decoderOf(charset) === undefined ? byIconv(bytes, charset) : byDecoder(bytes, charset);
  }
}

const of = ({ text, isLossy }: { text: string; isLossy: boolean }): DecodedText => ({
  text,
  fidelity: isLossy ? "lossy" : "exact",
});

const PRIVATE_OR_UNKNOWN = /[\uE000-\uF8FF\uFFFD]/;

/** Node's decoder of Big5 has no Hong Kong supplement. */
function big5(bytes: Buffer): DecodedText {
  const text = decoderOf("big5")?.decode(bytes) ?? "";
  return PRIVATE_OR_UNKNOWN.test(text) ? byIconv(bytes, "big5-hkscs") : { text, fidelity: "exact" };
}

/** None of the charsets that iconv-lite decodes for us can write U+FFFD itself, but for UTF-32. */
function byIconv(bytes: Buffer, charset: string): DecodedText {
  const text = iconv.decode(bytes, charset);
  return { text, fidelity: text.includes(REPLACEMENT) ? "lossy" : "exact" };
}

function byDecoder(bytes: Uint8Array, charset: string): DecodedText {
  const text = decoderOf(charset)?.decode(bytes) ?? "";
  return { text, fidelity: text.includes(REPLACEMENT) && !isSound(bytes, charset) ? "lossy" : "exact" };
}

/** Whether each U+FFFD in the text is one that the sender wrote. */
function isSound(bytes: Uint8Array, charset: string): boolean {
  try {
    new TextDecoder(charset, { fatal: true }).decode(bytes);
    return true;
  } catch {
    // Bytes that are no characters of that charset.
    return false;
  }
}

const decoders = new Map<string, Decoder | undefined>();

/** `charset` comes from the table of labels, so the map stays as small as that. */
function decoderOf(charset: string): Decoder | undefined {
  const known = decoders.get(charset);
  if (known !== undefined || decoders.has(charset)) return known;
  let decoder: Decoder | undefined;
  try {
    decoder = new TextDecoder(charset);
  } catch {
    // No charset of the WHATWG's: iconv-lite knows it.
  }
  decoders.set(charset, decoder);
  return decoder;
}
