import { footerStart } from "./base64-footer.ts";
import { decodeUuencode } from "./uuencode.ts";

/**
 * Undoes a Content-Transfer-Encoding. Unknown ones are taken as binary; damage is passed over, never thrown.
 *
 * Source: RFC 2045 §6. Base64 skips what is no base64 and may end early; quoted-printable keeps a `=` that encodes nothing.
 */
export function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  if (isBase64(encoding)) return decodeBase64(bytes);
  switch (encoding) {
    case "quoted-printable":
    case "quotedprintable":
    case "quoted_printable":
    case "q":
      return decodeQuotedPrintable(bytes);
    case "x-uuencode":
    case "uuencode":
    case "x-uue":
    case "uue":
      return decodeUuencode(bytes);
    default:
      return bytes;
  }
}

/** Whether this is one long run of base64, such as a file in a mail: {@link decodeInPieces} may read it. */
export function isLongBase64(bytes: Buffer, encoding: string): boolean {
  if (bytes.length <= ONE_GO_BYTES || !isBase64(encoding) || !looksLikeBase64(bytes)) return false;
  const padding = bytes.indexOf(EQUALS);
  const isOneRun = padding < 0 || bytes.length - padding < LONGEST_END_BYTES;
  return isOneRun && footerStart(bytes) === bytes.length;
}

/** What {@link decodeTransfer} would give for a long run of base64, piece by piece: the whole never stands in memory. */
export function* decodeInPieces(bytes: Buffer): Generator<Buffer> {
  for (const piece of piecesOf(bytes)) yield Buffer.from(piece, "base64");
}

/** The same for a reader who keeps nothing: each piece is gone when `read` returns. */
export function readInPieces(bytes: Buffer, read: (piece: Buffer) => void): void {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (const text of piecesOf(bytes)) read(piece.subarray(0, piece.write(text, "base64")));
}

function isBase64(encoding: string): boolean {
  return encoding === "base64" || encoding === "base-64" || encoding === "b";
}

const LOOK_BYTES = 512;
const BASE64_RUN = /[A-Za-z0-9+/\s_-]*/y;
/** Padding behind which further base64 stands: parts were encoded one by one and put together. */
const PADDING = /[=\s]*/y;
/** As a string, more of a long attachment than this never exists: short strings are gone with the next small collection. */
const PIECE_BYTES = 65_536;
/** Up to here base64 is decoded in one go. */
const ONE_GO_BYTES = 16 * PIECE_BYTES;
/** Padding and line ends behind a run of base64; what is longer may hold another one. */
const LONGEST_END_BYTES = 8;

function decodeBase64(whole: Buffer): Buffer {
  const bytes = whole.subarray(0, footerStart(whole));
  if (!looksLikeBase64(bytes)) return whole;
  const out = Buffer.allocUnsafe(Math.ceil((bytes.length * 3) / 4) + 3);
  const padding = bytes.indexOf(EQUALS);
  // Node skips white space and stops at the first padding.
  let length = decodeRun(padding < 0 ? bytes : bytes.subarray(0, padding + 2), out);
  if (padding < 0 || bytes.length - padding < LONGEST_END_BYTES) return out.subarray(0, length);
  const text = bytes.toString("latin1", padding);
  for (let at = 0; at < text.length;) {
    PADDING.lastIndex = at;
    at += PADDING.exec(text)?.[0].length ?? 0;
    BASE64_RUN.lastIndex = at;
    const run = BASE64_RUN.exec(text)?.[0] ?? "";
    const next = text[at + run.length];
    // What a list server wrote below is no base64: it has other characters, or is no whole number of groups.
    if (run === "" || (next !== undefined && next !== "=")) break;
    if (next === undefined && run.replace(/\s+/g, "").length % 4 !== 0) break;
    length += out.write(run, length, "base64");
    at += run.length;
  }
  return out.subarray(0, length);
}

/** Decodes what holds no padding but at its end; how many bytes came out. */
function decodeRun(bytes: Buffer, out: Buffer): number {
  if (bytes.length <= ONE_GO_BYTES) return out.write(bytes.toString("latin1"), "base64");
  let length = 0;
  for (const piece of piecesOf(bytes)) length += out.write(piece, length, "base64");
  return length;
}

/** The text in pieces of whole groups. */
function* piecesOf(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + PIECE_BYTES);
    const next = end === bytes.length ? end : groupEnd(bytes, at, end);
    yield bytes.toString("latin1", at, next);
    at = next;
  }
}

/** The last place before `end` where a whole number of groups lies behind `start`. */
function groupEnd(bytes: Buffer, start: number, end: number): number {
  let digits = 0;
  for (let at = start; at < end; at += 1) digits += IS_BASE64[bytes[at] ?? 0] ?? 0;
  let at = end;
  for (let left = digits % 4; left > 0 && at > start;) {
    at -= 1;
    left -= IS_BASE64[bytes[at] ?? 0] ?? 0;
  }
  // Not one group in a whole piece: it is no base64, and the next piece may hold some.
  return at > start ? at : end;
}

const IS_BASE64 = new Uint8Array(256);
for (const digit of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))
  IS_BASE64[digit] = 1;

/** Senders label plain text as base64; a text has characters that base64 never has, and early. */
function looksLikeBase64(bytes: Buffer): boolean {
  const look = bytes.toString("latin1", 0, LOOK_BYTES);
  if (/^\s*[{[<]/.test(look)) return false;
  const foreign = look.replace(/[A-Za-z0-9+/=\s_-]+/g, "").length;
  return foreign <= 2 || foreign * 16 <= look.length;
}

const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const HEX = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

function decodeQuotedPrintable(bytes: Buffer): Buffer {
  let i = bytes.indexOf(EQUALS);
  if (i < 0) return bytes;
  const out = Buffer.allocUnsafe(bytes.length);
  bytes.copy(out, 0, 0, i);
  let length = i;
  while (i < bytes.length) {
    const byte = bytes[i] ?? 0;
    if (byte !== EQUALS) {
      out[length] = byte;
      length += 1;
      i += 1;
      continue;
    }
    const high = hexValue(bytes[i + 1]);
    const low = hexValue(bytes[i + 2]);
    if (high >= 0 && low >= 0) {
      out[length] = high * 16 + low;
      length += 1;
      i += 3;
      continue;
    }
    const lineEnd = softBreakEnd(bytes, i + 1);
    if (lineEnd > 0) i = lineEnd;
    else {
      out[length] = EQUALS;
      length += 1;
      i += 1;
    }
  }
  return out.subarray(0, length);
}

/** Where a soft line break ends that begins behind a `=`; blanks may stand before the line end. 0 when it is none. */
function softBreakEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1;
  if (at >= bytes.length) return bytes.length;
  if (bytes[at] === CR) return bytes[at + 1] === LF ? at + 2 : at + 1;
  return bytes[at] === LF ? at + 1 : 0;
}

function hexValue(byte: number | undefined): number {
  return byte === undefined ? -1 : (HEX[byte] ?? -1);
}
