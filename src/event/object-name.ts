import type { Branded } from "../model/branded.ts";
import type { MailSummary } from "../model/mail.ts";
import { eventIdOf } from "./event-id.ts";

/** `<day>/<message>/<sha256>`: ASCII, never sent by anybody. */
export type ObjectName = Branded<string, "ObjectName">;

/**
 * The name that bytes of one message are stored under.
 *
 * Below the message, so that removing it harms no other message (contract §6); by content, so that a retry writes nothing
 * new; by day, so that an object is never about to expire when a new event begins to name it.
 */
export function objectNameOf(messageKey: string, sha256Hex: string, receivedAt: number): ObjectName {
  return `${new Date(receivedAt).toISOString().slice(0, 10)}/${messageKey}/${sha256Hex}` as ObjectName;
}

/** What names a mail whatever hook it is for: 26 characters of base32. */
export function messageKeyOf({ messageId, date, from, bodySha256 }: MailSummary["identity"]): string {
  return eventIdOf(["message", messageId, date, from, bodySha256]);
}
