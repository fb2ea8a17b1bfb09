import { isAscii, isUtf8 } from "node:buffer";

import type { DecodedText } from "./charset-decoders.ts";
import { decodeCharset, isStateful } from "./charset-decoders.ts";
import type { LabelReading } from "./charset-labels.ts";
import { readLabel } from "./charset-labels.ts";
import { isIso2022 } from "./iso-2022.ts";

/** What is decoded: a page may name its charset itself, and JSON is UTF-8 whatever its label says. */
export type TextKind = "text" | "html" | "json";

const LOOK_BYTES = 1_024;
const META_CHARSET =
  /<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_:.-]{2,40})/i;
/**
 * So much valid UTF-8 beyond ASCII is no accident in a text of another charset. A sequence of two bytes counts one, a longer
 * one two: in texts of Chinese, Japanese and Korean charsets pairs fall together by chance, triples hardly ever.
 */
const UTF8_EVIDENCE = 4;
const WIDE = /^utf-(?:16|32)/;
const FALLBACK = "windows-1252";
const NONE: LabelReading = { kind: "careless", charset: FALLBACK };

/**
 * Decodes bytes by their label, corrected by what the bytes themselves say.
 *
 * In order: a byte order mark; UTF-16 that its zeros betray; `ESC $ B` and its like, which only ISO 2022 has; valid UTF-8
 * where the label is careless, unknown or contradicted; the label; the HTML meta; UTF-8 with some damage; windows-1252,
 * which reads anything, but only where no charset is named. What is in a charset that nobody here knows is not guessed at:
 * only its ASCII characters are in the text. Never throws.
 *
 * Source: WHATWG Encoding Standard §4.2 (labels), HTML §13.2.3.2 (sniffing); RFC 2046 §4.1.2; RFC 8259 §8.1, §11 (JSON).
 */
export function readText(bytes: Uint8Array, label: string | undefined, kind: TextKind): DecodedText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marked = byMark(buffer);
  if (marked !== undefined) return decodeCharset(buffer, marked);
  const said = label === undefined || label === "" ? NONE : readLabel(label);
  const wide = maySayUtf16(said) ? wideByZeros(buffer) : undefined;
  if (wide !== undefined) return decodeCharset(buffer, wide);
  if (isAscii(buffer)) return readSevenBit(buffer, said);
  const isPlainUtf8 = isUtf8(buffer) && (kind === "json" || evidence(buffer) >= evidenceNeeded(said));
  if (isPlainUtf8) return { text: buffer.toString("utf8"), fidelity: "exact" };
  const labelled = said.kind === "known" ? byLabel(buffer, said.charset) : undefined;
  if (labelled !== undefined) return labelled;
  const meta = kind === "html" ? metaCharset(buffer) : undefined;
  if (meta !== undefined) return decodeCharset(buffer, meta);
  if (said.kind === "unknown") return { text: asciiOnly(buffer), fidelity: "unknown-charset" };
  return damagedUtf8(buffer, false) ?? guessed(buffer);
}

/** The five places of windows-1252 that hold no character: what has some is in another charset. */
const EMPTY_PLACES = /[\u0081\u008d\u008f\u0090\u009d]/g;

/** Bytes of which nothing says what they are, as Western text. */
function guessed(buffer: Buffer): DecodedText {
  const { text } = decodeCharset(buffer, FALLBACK);
  const sound = text.replace(EMPTY_PLACES, "\uFFFD");
  return { text: sound, fidelity: sound === text ? "exact" : "lossy" };
}

/**
 * Decodes bytes for a door that can refuse them: nothing is guessed, and `undefined` is what is not wholly valid.
 *
 * In order: a byte order mark, UTF-16 by its zeros, valid UTF-8 whatever the label says, the label. Without a label, or with
 * one that nobody knows, it is UTF-8 or nothing; JSON of seven bits is never UTF-7 or HZ (RFC 8259 §8.1, §11).
 */
export function readStrictly(bytes: Uint8Array, label: string, kind: "json" | "text"): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const said = label === "" ? NONE : readLabel(label);
  const sniffed = byMark(buffer) ?? (maySayUtf16(said) ? wideByZeros(buffer) : undefined);
  if (sniffed !== undefined) return exactly(decodeCharset(buffer, sniffed));
  if (isAscii(buffer)) return exactly(readSevenBit(buffer, kind === "json" ? NONE : said));
  if (isUtf8(buffer)) return buffer.toString("utf8");
  return label === "" || said.kind === "unknown" ? undefined : exactly(decodeCharset(buffer, said.charset));
}

const exactly = ({ text, fidelity }: DecodedText) => (fidelity === "exact" ? text : undefined);

/** The text of {@link readText} alone. */
export function decodeText(bytes: Uint8Array, label: string | undefined, isHtml: boolean): string {
  return readText(bytes, label, isHtml ? "html" : "text").text;
}

/** The text of `buffer` in the named charset, whatever the bytes say; `undefined` when nobody knows that name. */
export function decodeAs(buffer: Buffer, label: string): string | undefined {
  const said = readLabel(label);
  return said.kind === "unknown" ? undefined : decodeCharset(buffer, said.charset).text;
}

function readSevenBit(buffer: Buffer, said: LabelReading): DecodedText {
  if (said.kind === "known" && isStateful(said.charset)) return decodeCharset(buffer, said.charset);
  if (isIso2022(buffer)) return decodeCharset(buffer, "iso-2022-jp");
  // UTF-16 without Latin text in it; all others agree on ASCII. Where nothing is zero, not even a blank, the label is wrong.
  const isWide = said.kind === "known" && WIDE.test(said.charset) && buffer.includes(0);
  return isWide ? decodeCharset(buffer, said.charset) : { text: buffer.toString("latin1"), fidelity: "exact" };
}

/** How much valid UTF-8 it takes to outweigh a label. */
function evidenceNeeded(said: LabelReading): number {
  const isSevenBitOrUnicode = said.kind !== "known" || said.charset.startsWith("utf-") || isStateful(said.charset);
  return isSevenBitOrUnicode ? 1 : UTF8_EVIDENCE;
}

/** What the label makes of the bytes; `undefined` when the bytes contradict it. */
function byLabel(buffer: Buffer, charset: string): DecodedText | undefined {
  if (charset === "utf-8") return damagedUtf8(buffer, true);
  const labelled = decodeCharset(buffer, charset);
  if (labelled.fidelity === "exact" || !isUtf8(buffer)) return labelled;
  return { text: buffer.toString("utf8"), fidelity: "exact" };
}

/**
 * UTF-8 with some damage, as where a relay cut a character in two, stays UTF-8; `undefined` for bytes that are mostly
 * something else. Under the label UTF-8 a little is enough, else as much evidence as against any other charset.
 */
function damagedUtf8(buffer: Buffer, isLabelled: boolean): DecodedText | undefined {
  const text = buffer.toString("utf8");
  let damaged = 0;
  let whole = 0;
  let points = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === 0xfffd) damaged += 1;
    else if (unit > 0x7f) {
      whole += 1;
      points += unit > 0x7ff ? 2 : 1;
    }
  }
  const isEnough = isLabelled ? whole >= Math.min(damaged, UTF8_EVIDENCE) : points >= UTF8_EVIDENCE && whole >= damaged;
  return isEnough ? { text, fidelity: "lossy" } : undefined;
}

/** The evidence for UTF-8 in valid UTF-8, counted up to what is asked of it. */
function evidence(buffer: Buffer): number {
  let points = 0;
  for (let i = 0; i < buffer.length && points < UTF8_EVIDENCE; i += 1) {
    const byte = buffer[i] ?? 0;
    if (byte >= 0xc0) points += byte >= 0xe0 ? 2 : 1;
  }
  return points;
}

function asciiOnly(buffer: Buffer): string {
  return buffer.toString("latin1").replace(/[\u0080-\u00ff]/g, "\uFFFD");
}

function metaCharset(buffer: Buffer): string | undefined {
  const meta = META_CHARSET.exec(buffer.toString("latin1", 0, LOOK_BYTES))?.[1];
  const said = meta === undefined ? undefined : readLabel(meta);
  return said === undefined || said.kind === "unknown" || said.charset === "utf-8" ? undefined : said.charset;
}

function byMark(buffer: Buffer): string | undefined {
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) return "utf-8";
  if (buffer[0] === 0xfe && buffer[1] === 0xff) return "utf-16be";
  if (buffer[0] === 0xff && buffer[1] === 0xfe)
    return buffer[2] === 0 && buffer[3] === 0 && buffer.length % 4 === 0 ? "utf-32le" : "utf-16le";
  if (buffer[0] === 0 && buffer[1] === 0 && buffer[2] === 0xfe && buffer[3] === 0xff) return "utf-32be";
  return undefined;
}

function maySayUtf16(said: LabelReading): boolean {
  return said.kind !== "known" || said.charset === "utf-8" || said.charset.startsWith("utf-16");
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
