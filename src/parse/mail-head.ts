import type { MailAddress } from "../model/mail.ts";
import { parseAddresses } from "./addresses.ts";
import { decodeWords } from "./encoded-words.ts";
import { fieldOf, readHeaders } from "./headers.ts";
import { parseMailDate } from "./mail-date.ts";

/** What a person knows a mail by. */
export interface MailHead {
  readonly from: readonly MailAddress[];
  readonly mailSubject: string | null;
  readonly messageId: string | null;
  /** RFC 3339. */
  readonly date: string | null;
}

/** The first fields of a mail that is not read any further: of a header that is too long, its beginning. Linear. */
export function parseMailHead(bytes: Uint8Array, maxHeaderBytes: number): MailHead {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxHeaderBytes));
  const { fields } = readHeaders(start, 0, maxHeaderBytes);
  const mailSubject = fieldOf(fields, "subject");
  return {
    from: parseAddresses(fieldOf(fields, "from")),
    mailSubject: mailSubject === undefined ? null : decodeWords(mailSubject),
    messageId: fieldOf(fields, "message-id")?.trim() || null,
    date: parseMailDate(fieldOf(fields, "date")),
  };
}
