/**
 * Undoes a Content-Transfer-Encoding. Unknown ones are taken as binary; damage is passed over, never thrown.
 *
 * Source: RFC 2045 §6. Base64 skips what is no base64 and may end early; quoted-printable keeps a `=` that encodes nothing.
 */
export function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  switch (encoding) {
    case "base64":
      return decodeBase64(bytes);
    case "quoted-printable":
      return decodeQuotedPrintable(bytes);
    case "x-uuencode":
    case "uuencode":
    case "x-uue":
      return decodeUuencode(bytes.toString("latin1"));
    default:
      return bytes;
  }
}

function decodeBase64(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  const padding = text.indexOf("=");
  // Node stops at the first padding; parts that were glued together have some in the middle.
  if (padding < 0 || (/^[=\s]*$/.test(text.slice(padding, padding + 64)) && text.length - padding < 64))
    return Buffer.from(text, "base64");
  const pieces = text.split(/=+\s*/).filter((piece) => piece !== "");
  return pieces.length < 100
    ? Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")))
    : Buffer.from(text, "base64");
}

const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

function decodeQuotedPrintable(bytes: Buffer): Buffer {
  if (bytes.indexOf(EQUALS) < 0) return bytes;
  const out = Buffer.allocUnsafeSlow(bytes.length);
  let length = 0;
  let i = 0;
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
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const upper = byte & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

/** The bytes between `begin` and `end` of a uuencoded text; without a `begin` line, of the whole text. */
export function decodeUuencode(text: string): Buffer {
  const pieces: Buffer[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === "end") break;
    if (line.startsWith("begin ") || line === "") continue;
    const length = ((line.codePointAt(0) ?? SPACE) - SPACE) & 63;
    const values = Buffer.alloc(Math.ceil(length / 3) * 4);
    for (let i = 0; i < values.length; i += 1) values[i] = ((line.codePointAt(i + 1) ?? SPACE) - SPACE) & 63;
    const decoded = Buffer.alloc((values.length / 4) * 3);
    for (let i = 0, o = 0; i < values.length; i += 4, o += 3) {
      const group =
        ((values[i] ?? 0) << 18) | ((values[i + 1] ?? 0) << 12) | ((values[i + 2] ?? 0) << 6) | (values[i + 3] ?? 0);
      decoded.writeUIntBE(group, o, 3);
    }
    pieces.push(decoded.subarray(0, length));
  }
  return Buffer.concat(pieces);
}
