import { isUtf8 } from "node:buffer";

import { decodeAs } from "./charset.ts";

/** One header field as it stands in the mail: unfolded, not decoded. */
export interface RawField {
  /** Lower case. */
  readonly name: string;
  /** As the sender wrote it. */
  readonly writtenName: string;
  readonly value: string;
}

/** The header block at the start of `bytes`, and where the body begins. */
export interface HeaderBlock {
  readonly fields: readonly RawField[];
  readonly bodyStart: number;
}

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads a header block: up to the first empty line, or to the first line that is no field and continues none.
 *
 * Raw 8-bit values are UTF-8 when they are valid UTF-8 (RFC 6532), else windows-1252. Source: RFC 5322 §2.2.
 */
export function readHeaders(bytes: Buffer): HeaderBlock {
  const bodyStart = headerEnd(bytes);
  const block = bytes.subarray(0, bodyStart);
  const text = isUtf8(block) ? block.toString("utf8") : (decodeAs(block, "windows-1252") ?? "");
  const fields: RawField[] = [];
  let name = "";
  let writtenName = "";
  let pieces: string[] = [];
  const finish = () => {
    if (name !== "") fields.push({ name, writtenName, value: pieces.join("").trim() });
    name = "";
  };
  for (const line of text.split("\n")) {
    const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (plain === "") continue;
    if (plain.startsWith(" ") || plain.startsWith("\t")) {
      // A fold stands for the blank it begins with (RFC 5322 §2.2.3).
      if (name !== "") pieces.push(plain.replace("\t", " "));
      continue;
    }
    finish();
    const colon = plain.indexOf(":");
    if (colon <= 0) continue;
    writtenName = plain.slice(0, colon).trimEnd();
    name = writtenName.toLowerCase();
    pieces = [plain.slice(colon + 1)];
  }
  finish();
  return { fields, bodyStart };
}

/** Where the body begins: behind the first empty line; where a line is no field, before it; else at the end. */
function headerEnd(bytes: Buffer): number {
  let lineStart = 0;
  while (lineStart < bytes.length) {
    const first = bytes[lineStart];
    if (first === LF) return lineStart + 1;
    if (first === CR && bytes[lineStart + 1] === LF) return lineStart + 2;
    let lineEnd = bytes.indexOf(LF, lineStart);
    if (lineEnd < 0) lineEnd = bytes.length;
    // "From " of an mbox may stand first; anything else without a colon is the body of a mail without a header's end.
    if (!isFieldOrFold(bytes, lineStart, lineEnd) && lineStart > 0) return lineStart;
    lineStart = lineEnd + 1;
  }
  return bytes.length;
}

function isFieldOrFold(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start];
  if (first === 0x20 || first === 0x09) return true;
  const colon = bytes.indexOf(0x3a, start);
  if (colon <= start || colon >= end) return false;
  for (let i = start; i < colon; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte <= 0x20 && !(byte === 0x20 || byte === 0x09)) return false;
    if (byte === 0x20 && i + 1 < colon && bytes[i + 1] !== 0x20) return false;
  }
  return true;
}

/** The value of the first field of that name (lower case). */
export function fieldOf(fields: readonly RawField[], name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}
