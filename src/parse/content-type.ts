import { decodeWords } from "./encoded-words.ts";
import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";
import type { StructuredValue } from "./parameters.ts";
import { readStructured, withoutComments } from "./parameters.ts";
import { QUOTES_AND_BLANKS, trimAll } from "./trim.ts";

const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+*-]{1,127}$/;
const PLAIN = /^[\w-]+$/;
/** A token of RFC 2045 §5.1: what a disposition is. */
const TOKEN = /^[\w!#$%&'*+.^`{|}~-]+$/;
const SNIFF_BYTES = 256;
const HTML_START = /^\s*(?:<!--[^>]{0,100}-->\s*)?<(?:!doctype html|html|head|body)\b/i;
/** Words that stand for a whole media type. */
const SHORT: Readonly<Record<string, string>> = {
  multipart: "multipart/mixed",
  html: "text/html",
  json: "application/json",
};

/**
 * The media type of an entity: as declared; `defaultType` when nothing or nonsense is declared (RFC 2045 §5.2). What can be
 * read in a malformed value counts: of two fields the first that names a type.
 *
 * Without any declaration a body that begins as an HTML page is one: such mails come from scripts that write no MIME.
 */
export function contentTypeOf(fields: readonly RawField[], defaultType: string, body: Buffer): StructuredValue {
  let first: StructuredValue | undefined;
  for (const { name, value: declared } of fields) {
    if (name !== "content-type") continue;
    const { value, parameters } = readStructured(declared);
    if (MEDIA_TYPE.test(value)) return { value, parameters };
    const mended = mendedType(value);
    if (mended !== undefined) return { value: mended, parameters };
    first ??= { value: defaultType, parameters };
  }
  if (first !== undefined) return first;
  const looksLikeHtml = HTML_START.test(body.toString("latin1", 0, SNIFF_BYTES));
  return { value: looksLikeHtml ? "text/html" : defaultType, parameters: new Map() };
}

const MAX_MENDED_LENGTH = 200;

/**
 * The media type in a malformed value, `undefined` where none can be read: `text / html`, `"text/html"`, `text\\html`,
 * `application/json, text/plain`, `Content-Type: text/html` once more, `multipart/multipart/mixed`, `=?utf-8?q?text/html?=`.
 */
function mendedType(value: string): string | undefined {
  if (value === "" || value.length > MAX_MENDED_LENGTH) return undefined;
  const [written = ""] = decodeWords(value)
    .replace(/^(?:\s*content-type\s*:)+/, "")
    .replace(/\s*([/\\])\s*/g, "/")
    .split(/[,:;]/, 1);
  const plain = trimAll(written, `${QUOTES_AND_BLANKS}<>/.`).replace(/\s.*$/s, "");
  const [type = "", ...rest] = plain.split("/");
  const subtype = rest.at(type === "multipart" ? -1 : 0);
  const whole = subtype === undefined ? SHORT[type] : `${type}/${subtype}`;
  return whole !== undefined && MEDIA_TYPE.test(whole) ? whole : undefined;
}

/** The transfer encoding in lower case, without comments and quotes; "" when there is none. */
export function transferEncodingOf(fields: readonly RawField[]): string {
  const declared = fieldOf(fields, "content-transfer-encoding");
  if (declared === undefined) return "";
  if (PLAIN.test(declared)) return declared.toLowerCase();
  return trimAll(withoutComments(declared), `${QUOTES_AND_BLANKS};`).toLowerCase();
}

/**
 * Content-Disposition. One whose disposition is no token says nothing about how a part is shown, its parameters are read all
 * the same; quotes around the word are forgiven (RFC 2183 §2).
 */
export function dispositionOf(fields: readonly RawField[]): StructuredValue {
  const { value, parameters } = readStructured(fieldOf(fields, "content-disposition"));
  if (value === "" || TOKEN.test(value)) return { value, parameters };
  const bare = trimAll(value, QUOTES_AND_BLANKS);
  return { value: TOKEN.test(bare) ? bare : "", parameters };
}
