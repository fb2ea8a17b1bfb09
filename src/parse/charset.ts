import { isUtf8 } from "node:buffer";

import { TextDecoder } from "node:util";

import iconv from "iconv-lite";

const META_LOOK_BYTES = 1_024;
const META_CHARSET = /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:-]{2,40})/i;
// Labels that mailers write without looking: plain ASCII and the Western sets are believed only where UTF-8 is not plainer.
const CARELESS_LABEL =
  /^(?:us-ascii|ascii|ansi_x3\.4-1968|iso-?8859-1|iso_8859-1|latin-?1|windows-1252|cp1252|unknown-8bit|x-unknown|default|8bit|none)$/i;
const FALLBACK = "windows-1252";

/**
 * Bytes as text: by the label, corrected by what the bytes themselves say.
 *
 * In order: a byte order mark; the label, unless it is a careless one on bytes that are valid UTF-8; the HTML meta; valid
 * UTF-8; windows-1252, which reads anything. Never throws.
 *
 * Source: WHATWG Encoding Standard §4.2 (labels), HTML §13.2.3.2 (sniffing); RFC 2046 §4.1.2.
 */
export function decodeText(bytes: Uint8Array, label: string | undefined, isHtml: boolean): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marked = byMark(buffer);
  if (marked !== undefined) return decodeAs(buffer, marked) ?? "";
  const careless = label === undefined || label === "" || CARELESS_LABEL.test(label);
  if (careless && isUtf8(buffer)) return buffer.toString("utf8");
  if (!careless) {
    const text = decodeAs(buffer, utf16Order(label, buffer));
    if (text !== undefined && !(isUtf8Label(label) && text.includes("\uFFFD") && !isUtf8(buffer))) return text;
  }
  const meta = isHtml ? META_CHARSET.exec(buffer.toString("latin1", 0, META_LOOK_BYTES))?.[1] : undefined;
  const byMeta = meta === undefined || isUtf8Label(meta) ? undefined : decodeAs(buffer, meta);
  if (byMeta !== undefined) return byMeta;
  if (isUtf8(buffer) || isUtf8Label(label)) return buffer.toString("utf8");
  return (
    decodeAs(
      buffer,
      careless && label !== undefined && !/ascii|unknown|default|none|8bit/i.test(label) ? label : FALLBACK,
    ) ?? buffer.toString("latin1")
  );
}

/** The text of `buffer` in the named charset, `undefined` when nobody knows that name. */
export function decodeAs(buffer: Buffer, label: string): string | undefined {
  const name = label.trim().toLowerCase();
  if (isUtf8Label(name)) return buffer.toString("utf8").replace(/^\uFEFF/, "");
  // TextDecoder takes no views of shared memory.
  const bytes = buffer.buffer instanceof SharedArrayBuffer ? Buffer.from(buffer) : buffer;
  const decoder = decoderOf(name);
  if (decoder !== undefined) return decoder.decode(bytes);
  return iconv.encodingExists(name) ? iconv.decode(bytes, name) : undefined;
}

const decoders = new Map<string, TextDecoder | undefined>();
const MAX_DECODERS = 200;

function decoderOf(name: string): TextDecoder | undefined {
  if (decoders.has(name)) return decoders.get(name);
  let decoder: TextDecoder | undefined;
  try {
    decoder = new TextDecoder(name);
  } catch {
    // No WHATWG label (UTF-7, say): iconv-lite may know it.
  }
  if (decoders.size < MAX_DECODERS) decoders.set(name, decoder);
  return decoder;
}

function byMark(buffer: Buffer): string | undefined {
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) return "utf-8";
  if (buffer[0] === 0xfe && buffer[1] === 0xff) return "utf-16be";
  if (buffer[0] === 0xff && buffer[1] === 0xfe) return "utf-16le";
  return undefined;
}

/** UTF-16 without a mark: the half that holds the zeros of Latin text tells the order. */
function utf16Order(label: string, buffer: Buffer): string {
  if (!/^utf-?16$/i.test(label)) return label;
  let high = 0;
  let low = 0;
  for (let i = 0; i + 1 < Math.min(buffer.length, META_LOOK_BYTES); i += 2) {
    if (buffer[i] === 0) high += 1;
    if (buffer[i + 1] === 0) low += 1;
  }
  return high > low ? "utf-16be" : "utf-16le";
}

const isUtf8Label = (label: string | undefined) => label !== undefined && /^utf-?8$/i.test(label.trim());
