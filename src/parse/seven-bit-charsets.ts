const TILDE = 0x7e;
const SHIFT_OUT = 0x0e;
const SHIFT_IN = 0x0f;
const ESCAPE = 0x1b;
const LF = 0x0a;

/**
 * Seven-bit mail charsets that neither WHATWG nor iconv-lite reads, as bytes of the eight-bit charset they stand for.
 *
 * HZ (RFC 1843) switches to GB 2312 with `~{` and back with `~}`; ISO-2022-KR (RFC 1557) to KS X 1001 with SO and SI.
 * Browsers refuse both because they hide markup; we read data, not markup to be shown.
 */
export function decodeSevenBit(bytes: Uint8Array, label: string): { charset: string; bytes: Uint8Array } | undefined {
  if (label === "hz-gb-2312" || label === "hz") return { charset: "gb18030", bytes: fromHz(bytes) };
  if (label === "iso-2022-kr" || label === "csiso2022kr") return { charset: "euc-kr", bytes: fromIso2022Kr(bytes) };
  return undefined;
}

function fromHz(bytes: Uint8Array): Uint8Array {
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

function fromIso2022Kr(bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  let isWide = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === SHIFT_OUT || byte === SHIFT_IN) isWide = byte === SHIFT_OUT;
    // The designator ESC $ ) C stands once, at the start.
    else if (byte === ESCAPE && bytes[at + 1] === 0x24 && bytes[at + 2] === 0x29) at += 3;
    else {
      if (byte === LF) isWide = false;
      out[length] = isWide && byte > 0x20 ? byte | 0x80 : byte;
      length += 1;
    }
  }
  return out.subarray(0, length);
}
