import type { Envelope, JsonText, MailSummary } from "../model/mail.ts";
import { objectOf, toJson } from "./json.ts";
import { addressJson, envelopeJson } from "./mail-json.ts";

/** `mail` of a dead letter whose mail could not be read: its first fields, the envelope, and where the raw bytes are. */
export function rawMailJson(about: {
  readonly head: Pick<MailSummary, "from" | "mailSubject" | "messageId" | "date">;
  readonly envelope: Envelope;
  readonly envelopeTo: readonly string[];
  readonly tag: string | null;
  readonly size: number;
  readonly object: string;
}): JsonText {
  const { from, mailSubject, messageId, date } = about.head;
  return objectOf([
    ["from", from[0] === undefined ? toJson(null) : addressJson(from[0])],
    ["subject", toJson(mailSubject)],
    ["date", toJson(date)],
    ["messageId", toJson(messageId)],
    ["tag", toJson(about.tag)],
    ["envelope", envelopeJson(about.envelope, about.envelopeTo)],
    ["size", toJson(about.size)],
    ["object", toJson(about.object)],
  ]);
}
