import { isAscii, isUtf8 } from "node:buffer";

import type { HeaderRow, MailHeader } from "../model/mail-header.ts";
import { decodeText } from "./charset.ts";
import type { DelimiterSearch } from "./delimiters.ts";
import { nextLine } from "./header-lines.ts";

/** One header field as it stands in the mail: unfolded, not decoded. */
export interface RawField extends HeaderRow {
  /** As the sender wrote it. */
  readonly writtenName: string;
  readonly value: string;
}

/** A header block, and where the body behind it begins. */
export interface HeaderBlock extends MailHeader {
  readonly fields: readonly RawField[];
}

interface Extent {
  readonly name: string;
  readonly start: number;
  /** Offsets of value lines, start and end in turn: the first line's value, then each fold. */
  readonly lines: number[];
}

const ESCAPE = 0x1b;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const MAX_FOLDS_PASSED = 20;
/** `ftext` of RFC 5322 §2.2 without the characters that begin JSON, HTML and quotes: bodies stand directly behind fields too. */
const NAME_BYTES = new Uint8Array(256);
for (const character of "!#$%&'*+-./0123456789?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~")
  NAME_BYTES[character.codePointAt(0) ?? 0] = 1;

/**
 * Reads the header block that begins at `start`: up to the first empty line, to a delimiter of the multipart around it, or to a
 * line that is no field and that no field follows.
 *
 * A single line that is no field is passed over when a field follows: mailers break long values without a fold, and an mbox
 * puts its "From " line first. Raw 8-bit values are UTF-8 when they are valid UTF-8 (RFC 6532), else in the charset that
 * Content-Type names, else windows-1252. Source: RFC 5322 §2.2.
 */
export function readHeaders(bytes: Buffer, start: number, maxBytes: number, search?: DelimiterSearch): HeaderBlock {
  const extents: Extent[] = [];
  let at = start;
  let bodyStart = bytes.length;
  let isTooLong = false;
  let open: Extent | undefined;
  while (at < bytes.length) {
    if (at - start > maxBytes) {
      isTooLong = true;
      break;
    }
    const { end, next } = nextLine(bytes, at);
    if (end === at) {
      bodyStart = next;
      break;
    }
    if (search?.at(at, at) !== undefined) {
      bodyStart = at;
      break;
    }
    const colon = colonOf(bytes, at, end);
    if (bytes[at] === SPACE || bytes[at] === TAB) open?.lines.push(at, end);
    else if (colon > 0) {
      open = { name: bytes.toString("latin1", at, colon).trimEnd(), start: at, lines: [colon + 1, end] };
      extents.push(open);
    } else if (at === start || isField(bytes, next)) open = undefined;
    else {
      bodyStart = at;
      break;
    }
    at = next;
  }
  if (isTooLong || bodyStart - start > maxBytes) return { fields: [], bodyStart, isTooLong: true };
  const block = bytes.subarray(start, bodyStart);
  const isPlain = isAscii(block) && !block.includes(ESCAPE);
  const fields = isPlain ? asciiFields(bytes, extents) : fieldsOf(bytes, extents);
  return { fields, bodyStart, isTooLong: false };
}

/** Where the colon of a field stands in the line, 0 when the line is no field. */
function colonOf(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && NAME_BYTES[bytes[at] ?? 0] === 1) at += 1;
  if (at === start) return 0;
  // Blanks before the colon are obsolete syntax (RFC 5322 §4.5.3).
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1;
  return at < end && bytes[at] === COLON ? at : 0;
}

/** Whether a field begins at `start`, or behind a few folds of the line before it. */
function isField(bytes: Buffer, start: number): boolean {
  let at = start;
  for (let folds = 0; folds <= MAX_FOLDS_PASSED && at < bytes.length; folds += 1) {
    const { end, next } = nextLine(bytes, at);
    if (end === at) return false;
    if (bytes[at] !== SPACE && bytes[at] !== TAB) return colonOf(bytes, at, end) > 0;
    at = next;
  }
  return false;
}

function asciiFields(bytes: Buffer, extents: readonly Extent[]): RawField[] {
  return extents.map(({ name, start, lines }) => ({
    name: name.toLowerCase(),
    writtenName: name,
    value: unfolded(bytes, lines),
    start,
    end: lines.at(-1) ?? start,
  }));
}

function fieldsOf(bytes: Buffer, extents: readonly Extent[]): RawField[] {
  const fields: RawField[] = [];
  const foreign: { readonly index: number; readonly raw: Buffer }[] = [];
  for (const { name, start, lines } of extents) {
    const latin1 = unfolded(bytes, lines);
    let value = latin1;
    const raw = Buffer.from(latin1, "latin1");
    // Japanese mailers of old wrote ISO-2022-JP without saying so.
    if (isAscii(raw)) value = raw.includes(ESCAPE) ? decodeText(raw, undefined, false) : latin1;
    else if (isUtf8(raw)) value = raw.toString("utf8");
    else foreign.push({ index: fields.length, raw });
    fields.push({ name: name.toLowerCase(), writtenName: name, value, start, end: lines.at(-1) ?? start });
  }
  if (foreign.length === 0) return fields;
  const charset = /charset\s{0,9}=\s{0,9}"?([\w.:-]{2,40})/i.exec(fieldOf(fields, "content-type") ?? "")?.[1];
  for (const { index, raw } of foreign) {
    const field = fields[index];
    if (field !== undefined) fields[index] = { ...field, value: decodeText(raw, charset, false) };
  }
  return fields;
}

/** A fold stands for the blank it begins with (RFC 5322 §2.2.3). */
function unfolded(bytes: Buffer, lines: readonly number[]): string {
  const [start = 0, end = 0] = lines;
  if (lines.length === 2) return bytes.toString("latin1", start, end).trim();
  const pieces: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const piece = bytes.toString("latin1", lines[i], lines[i + 1]);
    pieces.push(i > 0 && piece.startsWith("\t") ? ` ${piece.slice(1)}` : piece);
  }
  return pieces.join("").trim();
}

/** The value of the first field of that name (lower case). */
export function fieldOf(fields: readonly RawField[], name: string): string | undefined {
  for (const field of fields) if (field.name === name) return field.value;
  return undefined;
}
