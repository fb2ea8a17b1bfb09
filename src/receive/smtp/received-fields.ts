import { MAX_RECEIVED_FIELDS } from "./limits.ts";

/**
 * Whether a mail has been through more than 100 hops and so is going round in circles (RFC 5321 §6.3).
 *
 * Looks at the header block only, line by line, and stops at its end.
 */
export function isMailLoop(bytes: Uint8Array): boolean {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = startsReceived(mail, 0) ? 1 : 0;
  for (let lineEnd = mail.indexOf("\r\n"); lineEnd >= 0; lineEnd = mail.indexOf("\r\n", lineEnd + 2)) {
    if (mail[lineEnd + 2] === 0x0d) return false;
    if (startsReceived(mail, lineEnd + 2)) count += 1;
    if (count > MAX_RECEIVED_FIELDS) return true;
  }
  return false;
}

function startsReceived(mail: Buffer, at: number): boolean {
  const first = mail[at];
  return (
    (first === 0x52 || first === 0x72) &&
    mail.toString("latin1", at, at + "received:".length).toLowerCase() === "received:"
  );
}
