import { isAscii, isUtf8 } from "node:buffer";

import { readStrictly } from "./charset.ts";
import { decodeCharset } from "./charset-decoders.ts";
import { readLabel } from "./charset-labels.ts";

/** One field of a form: its name and its value, in the order sent. */
export type FormField = readonly [name: string, value: string];

export type FieldsReading =
  | { readonly kind: "fields"; readonly fields: readonly FormField[] }
  | { readonly kind: "malformed"; readonly detail: string }
  | { readonly kind: "too-many" };

/** One field as its bytes. */
export interface RawField {
  readonly name: Buffer;
  readonly value: Buffer;
}

/**
 * Reads an `application/x-www-form-urlencoded` body.
 *
 * As browsers write and servers read it: `+` is a blank, a broken `%` escape stays as it is. The fields are UTF-8, or else
 * in the charset that the field `_charset_` or `charset`, the label of the whole, names. What is neither is refused, because
 * replacing it would lose what the sender wrote. A byte order mark before the first name is no part of it.
 *
 * Source: WHATWG URL, "application/x-www-form-urlencoded parsing".
 */
export function parseUrlencoded(body: Uint8Array, maxFields: number, charset = ""): FieldsReading {
  const text = asAscii(body);
  const fields: RawField[] = [];
  let equals = -1;
  for (let start = 0; start <= text.length;) {
    const end = indexOrEnd(text, "&", start);
    if (end > start) {
      if (fields.length >= maxFields) return { kind: "too-many" };
      // Searched for from where the last search ended: fields without one must not search the whole body each.
      if (equals < start) equals = indexOrEnd(text, "=", start);
      const nameEnd = Math.min(equals, end);
      const name = unescaped(text.slice(start, nameEnd));
      fields.push({ name, value: nameEnd === end ? NOTHING : unescaped(text.slice(nameEnd + 1, end)) });
    }
    start = end + 1;
  }
  const decode = decoderOf(fields, charset);
  const decoded: FormField[] = [];
  for (const { name, value } of fields) {
    const field = [decode(name), decode(value)] as const;
    if (field[0] === undefined || field[1] === undefined)
      return {
        kind: "malformed",
        detail: `field ${decoded.length + 1} is not UTF-8, nor in a charset that the form names`,
      };
    decoded.push([decoded.length === 0 ? field[0].replace(/^\uFEFF/, "") : field[0], field[1]]);
  }
  return { kind: "fields", fields: decoded };
}

/**
 * How the fields of one form are decoded: as UTF-8 when all of them are, else in the charset that the form names; a form has
 * one encoding. The decoder gives `undefined` for what is not valid in it.
 */
export function decoderOf(fields: readonly RawField[], charset: string): (bytes: Buffer) => string | undefined {
  const own =
    fields
      .find(({ name }) => name.equals(CHARSET_NAME))
      ?.value.toString("latin1")
      .trim() ?? "";
  const label = own === "" || readLabel(own).kind === "unknown" ? charset : own;
  if (fields.every(({ name, value }) => isUtf8(name) && isUtf8(value)))
    return (bytes) => (isAscii(bytes) ? readStrictly(bytes, label, "text") : utf8Of(bytes));
  const said = readLabel(label);
  if (label === "" || said.kind === "unknown") return utf8Of;
  return (bytes) => {
    const { text, fidelity } = decodeCharset(bytes, said.charset);
    return fidelity === "exact" ? text : undefined;
  };
}

const utf8Of = (bytes: Buffer) => (isUtf8(bytes) ? bytes.toString("utf8") : undefined);

/** The field in which browsers say how the others are encoded (RFC 7578 §4.6; WHATWG HTML §4.10.22.4). */
const CHARSET_NAME = Buffer.from("_charset_");
const NOTHING = Buffer.alloc(0);

/** The body with one character for each byte; one in UTF-16 is ASCII by its rules, and becomes so. */
function asAscii(body: Uint8Array): string {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const isMarked = (buffer[0] === 0xff && buffer[1] === 0xfe) || (buffer[0] === 0xfe && buffer[1] === 0xff);
  if (isMarked) return Buffer.from(readStrictly(buffer, "", "text") ?? "").toString("latin1");
  return buffer.toString("latin1", buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0);
}

function indexOrEnd(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at < 0 ? text.length : at;
}

const PLAIN = /^[!-$&-*,-~]*$/;

function unescaped(escaped: string): Buffer {
  if (PLAIN.test(escaped)) return Buffer.from(escaped, "latin1");
  const text = escaped
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, "latin1");
}
