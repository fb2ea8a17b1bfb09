const TILDE = 0x7e;
const LF = 0x0a;

const PLUS = 0x2b;
const MINUS = 0x2d;
const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64 = new Int8Array(256).fill(-1);
for (let value = 0; value < BASE64_DIGITS.length; value += 1) BASE64[BASE64_DIGITS.charCodeAt(value)] = value;

/**
 * UTF-7 as UTF-16LE (RFC 2152): `+` shifts to base64 of UTF-16, and back at what is no base64. iconv-lite reads it, very
 * slowly where shifts are many.
 */
export function fromUtf7(bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(bytes.length * 2);
  let length = 0;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    at += 1;
    if (byte !== PLUS || !(bytes[at] === MINUS || isBase64(bytes[at]))) {
      // A plus sign that shifts to nothing is one that somebody forgot to write as "+-".
      length = out.writeUInt16LE(byte, length);
      continue;
    }
    if (bytes[at] === MINUS) length = out.writeUInt16LE(PLUS, length);
    let bits = 0;
    let count = 0;
    for (; isBase64(bytes[at]); at += 1) {
      bits = ((bits << 6) | (BASE64[bytes[at] ?? 0] ?? 0)) & 0xff_ffff;
      count += 6;
      if (count < 16) continue;
      count -= 16;
      length = out.writeUInt16LE((bits >> count) & 0xffff, length);
    }
    if (bytes[at] === MINUS) at += 1;
  }
  return out.subarray(0, length);
}

function isBase64(byte: number | undefined): boolean {
  return byte !== undefined && (BASE64[byte] ?? -1) >= 0;
}

/** HZ as bytes of GB 2312 with the high bit set (RFC 1843): `~{` switches to it, `~}` back. */
export function fromHz(bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  let isWide = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const next = bytes[at + 1];
    if (byte === TILDE && (next === 0x7b || next === 0x7d)) {
      isWide = next === 0x7b;
      at += 1;
    } else if (byte === TILDE && next === LF) at += 1;
    else {
      if (byte === TILDE && next === TILDE && !isWide) at += 1;
      // A line ends the wide mode, whatever the sender forgot.
      if (byte === LF) isWide = false;
      out[length] = isWide ? byte | 0x80 : byte;
      length += 1;
    }
  }
  return out.subarray(0, length);
}
