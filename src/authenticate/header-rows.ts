import type { HeaderRow, MailHeader } from "../model/mail-header.ts";
import { trimBlanks } from "./dkim/canonical-header.ts";

const MAX_HEADER_BYTES = 256 * 1024;
const [TAB, LF, CR, SPACE, COLON] = [0x09, 0x0a, 0x0d, 0x20, 0x3a];

/**
 * Cuts the header block of a mail whose fields nobody has read yet. Linear.
 *
 * A line that is no field belongs to the field above it, fold or not: a line that is read in two ways may only ever break
 * a signature, never slip past it. Source: RFC 5322 §2.2, §3.6.8, §4.5.8.
 */
export function headerRowsOf(mail: Buffer): MailHeader {
  const bodyStart = headerEnd(mail);
  if (bodyStart > MAX_HEADER_BYTES) return { fields: [], bodyStart, isTooLong: true };
  const fields: HeaderRow[] = [];
  let open: { name: string; start: number; end: number } | undefined;
  for (let at = 0; at < bodyStart;) {
    const lf = mail.indexOf(LF, at);
    const next = lf < 0 || lf >= bodyStart ? bodyStart : lf + 1;
    const end = lineEnd(mail, at, next);
    // The empty line ends the block.
    if (end === at && next === bodyStart) break;
    const colon = colonOf(mail, at, bodyStart);
    if (open === undefined || colon > 0) {
      open = { name: nameAt(mail, at, colon), start: at, end };
      fields.push(open);
    } else open.end = end;
    at = next;
  }
  return { fields, bodyStart, isTooLong: false };
}

/** Names are ASCII. "" for a first line that is no field. */
function nameAt(mail: Buffer, start: number, colon: number): string {
  if (colon === 0) return "";
  return trimBlanks(mail.toString("latin1", start, colon).replace(/\r?\n/g, "")).toLowerCase();
}

function lineEnd(mail: Buffer, start: number, next: number): number {
  if (next === start || mail[next - 1] !== LF) return next;
  return next - 2 >= start && mail[next - 2] === CR ? next - 2 : next - 1;
}

/** Where the colon of a field that begins at `start` stands; 0 when none does. Blanks and one fold may stand before it. */
function colonOf(mail: Buffer, start: number, limit: number): number {
  let at = start;
  while (at < limit && isNameByte(mail[at] ?? 0)) at += 1;
  if (at === start) return 0;
  let lines = 0;
  for (; at < limit && lines < 2; at += 1) {
    const byte = mail[at];
    if (byte === COLON) return at;
    if (byte === LF) lines += 1;
    else if (byte !== SPACE && byte !== TAB && byte !== CR) return 0;
  }
  return 0;
}

const isNameByte = (byte: number) => byte > SPACE && byte < 0x7f && byte !== COLON;

function headerEnd(mail: Buffer): number {
  if (mail[0] === LF) return 1;
  if (mail[0] === CR && mail[1] === LF) return 2;
  for (let at = mail.indexOf(LF); at >= 0 && at <= MAX_HEADER_BYTES; at = mail.indexOf(LF, at + 1)) {
    if (mail[at + 1] === LF) return at + 2;
    if (mail[at + 1] === CR && mail[at + 2] === LF) return at + 3;
  }
  return mail.length;
}
