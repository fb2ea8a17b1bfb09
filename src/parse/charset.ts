import { isUtf8 } from "node:buffer";
import type { TextDecoder as Decoder } from "node:util";

import iconv from "iconv-lite";

import { decodeSevenBit } from "./seven-bit-charsets.ts";
import { QUOTES_AND_BLANKS, trimAll } from "./trim.ts";

const LOOK_BYTES = 1_024;
const META_CHARSET =
  /<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_:.-]{2,40})/i;
// Labels that mailers write without looking: plain ASCII and the Western sets are believed only where UTF-8 is not plainer.
const CARELESS_LABEL =
  /^(?:us-ascii|ascii|ansi_x3\.4-1968|iso-?8859-1|iso_8859-1|latin-?1|windows-1252|cp1252|unknown-8bit|x-unknown|unknown|default|default_charset|8bit|7bit|binary|none|utf)$/i;
const NAMES_WESTERN = /8859|latin|1252/i;
/** One byte a character: such a decoder never fails, so only valid UTF-8 can show that the label is wrong. */
const SINGLE_BYTE = /^(?:iso-?8859-|windows-|cp125|koi8|macintosh|x-mac)/i;
/** So many characters of valid UTF-8 beyond ASCII are no accident in a text of another charset. */
const UTF8_EVIDENCE = 4;
const FALLBACK = "windows-1252";

/**
 * Bytes as text: by the label, corrected by what the bytes themselves say.
 *
 * In order: a byte order mark; UTF-16 that its zeros betray; the label, unless it is a careless one on bytes that are valid
 * UTF-8 or one that the bytes contradict; the HTML meta; valid UTF-8; windows-1252, which reads anything. Never throws.
 *
 * Source: WHATWG Encoding Standard §4.2 (labels), HTML §13.2.3.2 (sniffing); RFC 2046 §4.1.2.
 */
export function decodeText(bytes: Uint8Array, label: string | undefined, isHtml: boolean): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marked = byMark(buffer);
  if (marked !== undefined) return decodeAs(buffer, marked) ?? "";
  const name = plainLabel(label);
  const careless = name === "" || CARELESS_LABEL.test(name);
  const wide = careless || isUtf8Label(name) || /^(?:utf-?16|ucs-2)$/.test(name) ? wideByZeros(buffer) : undefined;
  if (wide !== undefined) return decodeAs(buffer, wide) ?? "";
  const valid = isUtf8(buffer);
  if (valid && (careless || isUtf8Label(name))) return buffer.toString("utf8");
  const labelled = careless ? undefined : byLabel(buffer, name, valid);
  if (labelled !== undefined) return labelled;
  const meta = isHtml ? META_CHARSET.exec(buffer.toString("latin1", 0, LOOK_BYTES))?.[1] : undefined;
  const byMeta = meta === undefined || isUtf8Label(meta) ? undefined : decodeAs(buffer, meta);
  if (byMeta !== undefined) return byMeta;
  if (valid) return buffer.toString("utf8");
  return decodeAs(buffer, NAMES_WESTERN.test(name) ? name : FALLBACK) ?? buffer.toString("latin1");
}

/** What the label makes of the bytes; `undefined` when nobody knows it or the bytes contradict it. */
function byLabel(buffer: Buffer, name: string, isValidUtf8: boolean): string | undefined {
  if (isUtf8Label(name)) return damagedUtf8(buffer);
  if (isValidUtf8 && SINGLE_BYTE.test(name) && beyondAscii(buffer) >= UTF8_EVIDENCE) return undefined;
  const text = decodeAs(buffer, name);
  const isContradicted = isValidUtf8 && beyondAscii(buffer) > 0 && text?.includes("\uFFFD") === true;
  return isContradicted ? undefined : text;
}

/** UTF-8 with some damage stays UTF-8; bytes that are mostly no UTF-8 under that label are another charset. */
function damagedUtf8(buffer: Buffer): string | undefined {
  const text = buffer.toString("utf8");
  let damaged = 0;
  let whole = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === 0xfffd) damaged += 1;
    else if (unit > 0x7f) whole += 1;
  }
  return whole >= Math.min(damaged, UTF8_EVIDENCE) ? text : undefined;
}

/** Characters beyond ASCII in valid UTF-8, counted up to what is asked of them. */
function beyondAscii(buffer: Buffer): number {
  let count = 0;
  for (let i = 0; i < buffer.length && count < UTF8_EVIDENCE; i += 1) if ((buffer[i] ?? 0) >= 0xc0) count += 1;
  return count;
}

/** The text of `buffer` in the named charset, `undefined` when nobody knows that name. */
export function decodeAs(buffer: Buffer, label: string): string | undefined {
  const name = plainLabel(label);
  if (isUtf8Label(name)) return buffer.toString("utf8").replace(/^\uFEFF/, "");
  // TextDecoder takes no views of shared memory.
  const bytes = buffer.buffer instanceof SharedArrayBuffer ? Buffer.from(buffer) : buffer;
  const decoder = decoderOf(name);
  if (decoder !== undefined) return asInBrowsers(bytes, decoder);
  const sevenBit = decodeSevenBit(bytes, name);
  if (sevenBit !== undefined) return decoderOf(sevenBit.charset)?.decode(sevenBit.bytes);
  return iconv.encodingExists(name) ? iconv.decode(bytes, name) : undefined;
}

const PRIVATE_OR_UNKNOWN = /[\uE000-\uF8FF\uFFFD]/;

/** Node's decoders of Korean and Chinese know fewer characters than the standard's: no windows-949, no Hong Kong supplement. */
function asInBrowsers(bytes: Buffer, decoder: Decoder): string {
  if (decoder.encoding === "euc-kr") return iconv.decode(bytes, "cp949");
  const text = decoder.decode(bytes);
  const isPoorer = decoder.encoding === "big5" && PRIVATE_OR_UNKNOWN.test(text);
  return isPoorer ? iconv.decode(bytes, "big5-hkscs") : text;
}

const decoders = new Map<string, Decoder | undefined>();
const MAX_DECODERS = 200;

function decoderOf(name: string): Decoder | undefined {
  const known = decoders.get(name);
  if (known !== undefined || decoders.has(name)) return known;
  let decoder: Decoder | undefined;
  try {
    decoder = new TextDecoder(name);
  } catch {
    // No WHATWG label (UTF-7, say): iconv-lite may know it.
  }
  if (decoders.size < MAX_DECODERS) decoders.set(name, decoder);
  return decoder;
}

const WINDOWS_PAGE = /^(?:x-)?(?:ms-?)?(?:cp|ms|windows)-?(932|936|949|950)$/;
const WINDOWS_PAGES: Readonly<Record<string, string>> = {
  932: "shift_jis",
  936: "gb18030",
  949: "euc-kr",
  950: "big5",
};

/** A label as the decoders know it: lower case, without quotes, by the names that Japanese and Korean mailers made up. */
function plainLabel(label: string | undefined): string {
  if (label === undefined || label === "utf-8" || label === "us-ascii") return label ?? "";
  const name = trimAll(label, QUOTES_AND_BLANKS).toLowerCase();
  if (name.startsWith("iso-2022-jp")) return "iso-2022-jp";
  const page = WINDOWS_PAGE.exec(name)?.[1];
  if (page !== undefined) return WINDOWS_PAGES[page] ?? name;
  if (name === "uhc") return "euc-kr";
  return name === "unicode-1-1-utf-7" || name === "x-unicode-2-0-utf-7" ? "utf-7" : name;
}

function byMark(buffer: Buffer): string | undefined {
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) return "utf-8";
  if (buffer[0] === 0xfe && buffer[1] === 0xff) return "utf-16be";
  if (buffer[0] === 0xff && buffer[1] === 0xfe)
    return buffer[2] === 0 && buffer[3] === 0 && buffer.length % 4 === 0 ? "utf-32le" : "utf-16le";
  if (buffer[0] === 0 && buffer[1] === 0 && buffer[2] === 0xfe && buffer[3] === 0xff) return "utf-32be";
  return undefined;
}

/** UTF-16 without a mark: the half that holds the zeros of Latin text tells the order; `undefined` when there are none. */
function wideByZeros(buffer: Buffer): string | undefined {
  if (buffer.indexOf(0) < 0 || buffer.length < 4) return undefined;
  const end = Math.min(buffer.length - 1, LOOK_BYTES);
  let high = 0;
  let low = 0;
  for (let i = 0; i < end; i += 2) {
    if (buffer[i] === 0) high += 1;
    if (buffer[i + 1] === 0) low += 1;
  }
  const pairs = Math.ceil(end / 2);
  if (high > pairs / 3 && low < high / 4) return "utf-16be";
  return low > pairs / 3 && high < low / 4 ? "utf-16le" : undefined;
}

const isUtf8Label = (label: string) => label === "utf-8" || label === "utf8" || /^utf-?8$/i.test(label.trim());
