import type { CutHookIds } from "../model/cut-hook-ids.ts";
import type { Envelope, JsonText, MailSummary } from "../model/mail.ts";
import { objectOf, toCutJson, toJson } from "./json.ts";
import { addressJson, envelopeJson } from "./mail-json.ts";

/** `mail` of a dead letter whose mail could not be read: its first fields, the envelope, and where the raw bytes are. */
export function rawMailJson(about: {
  readonly head: Pick<MailSummary, "from" | "mailSubject" | "messageId" | "date">;
  readonly envelope: Envelope;
  readonly envelopeTo: readonly string[];
  readonly tag: string | null;
  readonly size: number;
  readonly object: string;
  readonly cut: CutHookIds;
}): JsonText {
  const { from, mailSubject, messageId, date } = about.head;
  const { cut } = about;
  return objectOf([
    ["from", from[0] === undefined ? toJson(null) : addressJson(from[0], cut)],
    ["subject", toCutJson(mailSubject, cut)],
    ["date", toJson(date)],
    ["messageId", toJson(messageId && cut(messageId, "message-id"))],
    ["tag", toCutJson(about.tag, cut)],
    ["envelope", envelopeJson(about.envelope, about.envelopeTo, cut)],
    ["size", toJson(about.size)],
    ["object", toJson(about.object)],
  ]);
}
