import { decodeAs } from "./charset.ts";
import { htmlOfRtf, inflateRtf } from "./rtf.ts";
import type { MapiProperties, MapiValue } from "./tnef-properties.ts";
import { STRING_8, UNICODE, readProperties } from "./tnef-properties.ts";

/** A body or a file out of a `winmail.dat`. */
export interface TnefPiece {
  readonly kind: "text" | "html" | "file";
  readonly filename: string | null;
  /** Lower case; `null` when the file does not say. */
  readonly mediaType: string | null;
  readonly charset: string | null;
  readonly bytes: Buffer;
  /** It belongs to a mail that is enclosed in this one. */
  readonly forwarded: boolean;
}

const SIGNATURE = 0x223e9f78;
const MESSAGE_LEVEL = 1;
const ATTRIBUTE = {
  body: 0x0002800c,
  properties: 0x00069003,
  codePage: 0x00069007,
  newAttachment: 0x00069002,
  title: 0x00018010,
  data: 0x0006800f,
  attachment: 0x00069005,
} as const;
const PROPERTY = {
  body: 0x1000,
  rtf: 0x1009,
  html: 0x1013,
  internetCodePage: 0x3fde,
  dataObject: 0x3701,
  displayName: 0x3001,
  filename: 0x3704,
  longFilename: 0x3707,
  method: 0x3705,
  mediaType: 0x370e,
} as const;
const EMBEDDED_MESSAGE = 5;
/** More than a mail may have parts: the limit on those is passed then, and named. */
const MAX_FILES = 2_000;
/** An embedded message stands behind the 16 octets of its interface's GUID. */
const GUID_LENGTH = 16;

interface File {
  title: string | undefined;
  data: Buffer | undefined;
  properties: MapiProperties;
}

/**
 * Opens a `winmail.dat`: the bodies and files that Outlook put in it, enclosed mails entered up to `maxDepth`.
 *
 * `undefined` when it is none. Damage ends the reading, what came before it counts. Source: [MS-OXTNEF] §2.1.
 */
export function readTnef(bytes: Buffer, maxDepth: number, forwarded = false): TnefPiece[] | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== SIGNATURE) return undefined;
  let codePage = "windows-1252";
  let message: MapiProperties = new Map();
  let body: Buffer | undefined;
  const files: File[] = [];
  for (const { level, id, data } of attributesOf(bytes)) {
    if (files.length > MAX_FILES) break;
    const file = files.at(-1);
    if (id === ATTRIBUTE.codePage && data.length >= 4) codePage = charsetOf(data.readUInt32LE(0));
    else if (id === ATTRIBUTE.properties && level === MESSAGE_LEVEL) message = readProperties(data);
    else if (id === ATTRIBUTE.body) body = untilNul(data);
    else if (id === ATTRIBUTE.newAttachment) files.push({ title: undefined, data: undefined, properties: new Map() });
    else if (file === undefined) continue;
    else if (id === ATTRIBUTE.title) file.title = textOf({ type: STRING_8, bytes: data }, codePage);
    else if (id === ATTRIBUTE.data) file.data = data;
    else if (id === ATTRIBUTE.attachment) file.properties = readProperties(data);
  }
  const bodies = bodiesOf(message, body, codePage, forwarded);
  return [...bodies, ...files.flatMap((file) => piecesOf(file, codePage, maxDepth, forwarded))];
}

function* attributesOf(bytes: Buffer): Generator<{ level: number; id: number; data: Buffer }> {
  let at = 6;
  while (at + 9 <= bytes.length) {
    const length = bytes.readUInt32LE(at + 5);
    const start = at + 9;
    if (start + length > bytes.length) return;
    yield { level: bytes[at] ?? 0, id: bytes.readUInt32LE(at + 1), data: bytes.subarray(start, start + length) };
    // A checksum of two octets ends it. Nobody refuses a file for it.
    at = start + length + 2;
  }
}

function bodiesOf(
  message: MapiProperties,
  attribute: Buffer | undefined,
  codePage: string,
  forwarded: boolean,
): TnefPiece[] {
  const pieces: TnefPiece[] = [];
  const add = (kind: "text" | "html", bytes: Buffer, charset: string) =>
    pieces.push({
      kind,
      filename: null,
      mediaType: `text/${kind === "text" ? "plain" : kind}`,
      charset,
      bytes,
      forwarded,
    });
  const text = message.get(PROPERTY.body);
  if (text !== undefined) add("text", Buffer.from(textOf(text, codePage)), "utf-8");
  else if (attribute !== undefined && attribute.length > 0) add("text", attribute, codePage);
  const html = message.get(PROPERTY.html);
  const rtf = message.get(PROPERTY.rtf);
  if (html !== undefined && html.bytes.length > 0) add("html", html.bytes, charsetOfHtml(message, codePage));
  else if (rtf !== undefined) {
    const found = htmlOfRtf(inflateRtf(rtf.bytes));
    if (found !== undefined) add("html", Buffer.from(found), "utf-8");
  }
  return pieces;
}

function piecesOf(file: File, codePage: string, maxDepth: number, forwarded: boolean): TnefPiece[] {
  const { title, data, properties } = file;
  const object = properties.get(PROPERTY.dataObject)?.bytes;
  const method = properties.get(PROPERTY.method)?.bytes;
  if (method?.length === 4 && method.readUInt32LE(0) === EMBEDDED_MESSAGE && object !== undefined && maxDepth > 0) {
    const inner = readTnef(object.subarray(GUID_LENGTH), maxDepth - 1, true);
    if (inner !== undefined) return inner;
  }
  const bytes = data ?? object;
  if (bytes === undefined) return [];
  const said = (id: number) => {
    const value = properties.get(id);
    return value === undefined ? undefined : textOf(value, codePage) || undefined;
  };
  const filename =
    said(PROPERTY.longFilename) ?? title ?? said(PROPERTY.filename) ?? said(PROPERTY.displayName) ?? null;
  const mediaType = said(PROPERTY.mediaType)?.toLowerCase() ?? null;
  return [{ kind: "file", filename, mediaType, charset: null, bytes, forwarded }];
}

function textOf({ type, bytes }: MapiValue, codePage: string): string {
  const text = type === UNICODE ? bytes.toString("utf16le") : (decodeAs(untilNul(bytes), codePage) ?? "");
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function charsetOfHtml(message: MapiProperties, codePage: string): string {
  const page = message.get(PROPERTY.internetCodePage)?.bytes;
  return page?.length === 4 ? charsetOf(page.readUInt32LE(0)) : codePage;
}

/** A Windows code page by a name that the table of labels has. Source: [MS-UCODEREF] §2.2.1. */
function charsetOf(codePage: number): string {
  return `cp${codePage}`;
}
