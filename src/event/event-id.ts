import { hash } from "node:crypto";

import { toBase32 } from "../lib/base32.ts";
import type { MailSummary } from "../model/mail.ts";
import type { EventId } from "../model/outcome.ts";

const ID_BYTES = 16;

/**
 * The id of what `parts` name: the first 128 bits of a SHA-256, as 26 characters of base32.
 *
 * Each part is preceded by its length, so that no two lists of parts run together into the same bytes.
 */
export function eventIdOf(parts: readonly string[]): EventId {
  let text = "";
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  // Hex has a way of its own through the engine; every other form is looked up by its name.
  return toBase32(Buffer.from(hash("sha256", text, "hex").slice(0, 2 * ID_BYTES), "hex")) as EventId;
}

/**
 * The id of one mail for one hook (contract §5): stable over retries and over relays that split recipients, and never
 * made of the Message-ID alone, because senders reuse them.
 */
export function mailEventId(
  mail: Pick<MailSummary, "identity">,
  app: string,
  eventName: string,
  tag: string | null,
): EventId {
  return eventIdOf(["mail", app, eventName, tag ?? "", ...partsOf(mail.identity)]);
}

/** What names a mail whatever hook it is for: 26 characters of base32. */
export function messageKeyOf(identity: MailSummary["identity"]): string {
  return eventIdOf(["message", ...partsOf(identity)]);
}

/**
 * Devices that send neither Message-ID nor Date repeat the same alarm byte for byte. There the topmost Received field
 * counts too: the relay wrote it once, with its queue id, when it took the mail, and repeats it with each retry.
 */
function partsOf({ messageId, date, from, received, bodySha256 }: MailSummary["identity"]): string[] {
  const isUnnamed = messageId.trim() === "" && date.trim() === "";
  return [messageId, date, from, bodySha256, ...(isUnnamed ? [received] : [])];
}

/**
 * What names a mail that nobody could read: all of its bytes, which a relay's retry repeats. Its parts are none that a mail
 * which was read can have.
 */
export function unreadMailIdentity(sha256Hex: string): MailSummary["identity"] {
  return { messageId: "", date: "", from: "", received: "", bodySha256: `unread ${sha256Hex}` };
}
