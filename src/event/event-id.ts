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
  const { messageId, date, from, bodySha256 } = mail.identity;
  return eventIdOf(["mail", app, eventName, tag ?? "", messageId, date, from, bodySha256]);
}

/**
 * What names a mail that nobody could read: all of its bytes, which a relay's retry repeats. Its parts are none that a mail
 * which was read can have.
 */
export function unreadMailIdentity(sha256Hex: string): MailSummary["identity"] {
  return { messageId: "", date: "", from: "", bodySha256: `unread ${sha256Hex}` };
}
