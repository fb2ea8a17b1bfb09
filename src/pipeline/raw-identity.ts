import type { MailSummary } from "../model/mail.ts";
import type { MailStages } from "./deliver-mail.ts";

const HEADER_END = "\r\n\r\n";

/**
 * What names a mail that could not be parsed: the hash of its body alone, so that a relay's retry, which may carry
 * another Received field, gets the same id.
 */
export async function rawIdentity(
  bytes: Uint8Array,
  { sha256 }: Pick<MailStages, "sha256">,
): Promise<MailSummary["identity"]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(HEADER_END, 0, "latin1");
  const body = end < 0 ? buffer : buffer.subarray(end + HEADER_END.length);
  return { messageId: "", date: "", from: "", bodySha256: await sha256(body) };
}
