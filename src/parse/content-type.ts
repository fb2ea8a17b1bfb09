import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";
import type { StructuredValue } from "./parameters.ts";
import { readStructured, withoutComments } from "./parameters.ts";
import { QUOTES_AND_BLANKS, trimAll } from "./trim.ts";

const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+*-]{1,127}$/;
const PLAIN = /^[\w-]+$/;
const SNIFF_BYTES = 256;
const HTML_START = /^\s*(?:<!--[^>]{0,100}-->\s*)?<(?:!doctype html|html|head|body)\b/i;

/**
 * The media type of an entity: as declared; `defaultType` when nothing or nonsense is declared (RFC 2045 §5.2).
 *
 * Without any declaration a body that begins as an HTML page is one: such mails come from scripts that write no MIME.
 */
export function contentTypeOf(fields: readonly RawField[], defaultType: string, body: Buffer): StructuredValue {
  const declared = fieldOf(fields, "content-type");
  const { value, parameters } = readStructured(declared);
  // "text / html" and "multipart" alone are written, too.
  const written = value.replace(/\s+/g, "");
  if (MEDIA_TYPE.test(written)) return { value: written, parameters };
  if (/^multipart\/?$/.test(written)) return { value: "multipart/mixed", parameters };
  if (written === "html") return { value: "text/html", parameters };
  const looksLikeHtml = declared === undefined && HTML_START.test(body.toString("latin1", 0, SNIFF_BYTES));
  return { value: looksLikeHtml ? "text/html" : defaultType, parameters };
}

/** The transfer encoding in lower case, without comments and quotes; "" when there is none. */
export function transferEncodingOf(fields: readonly RawField[]): string {
  const declared = fieldOf(fields, "content-transfer-encoding");
  if (declared === undefined) return "";
  if (PLAIN.test(declared)) return declared.toLowerCase();
  return trimAll(withoutComments(declared), `${QUOTES_AND_BLANKS};`).toLowerCase();
}
