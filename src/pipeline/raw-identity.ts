import { createHash } from "node:crypto";

import type { MailSummary } from "../model/mail.ts";

const HEADER_END = "\r\n\r\n";

/**
 * What names a mail that could not be parsed: the hash of its body alone, so that a relay's retry, which may carry
 * another Received field, gets the same id.
 */
export function rawIdentity(bytes: Uint8Array): MailSummary["identity"] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(HEADER_END, 0, "latin1");
  const body = end < 0 ? buffer : buffer.subarray(end + HEADER_END.length);
  return { messageId: "", date: "", from: "", bodySha256: createHash("sha256").update(body).digest("hex") };
}
