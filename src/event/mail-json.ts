import type { CutHookIds } from "../model/cut-hook-ids.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Attachment, Envelope, MailAddress, MailSummary } from "../model/mail.ts";
import type { JsonText } from "../model/mail.ts";
import type { Verdicts } from "../model/verdicts.ts";
import { arrayOf, objectOf, toCutJson, toJson } from "./json.ts";

/** Attachments under this size travel inside the event, as base64 (contract §5). */
const INLINE_ATTACHMENT_BYTES = 32 * 1024;

/** What stands beside the bytes of a mail when `data.mail` is written for one hook. */
export interface MailContext {
  readonly summary: MailSummary;
  readonly envelope: Envelope;
  /** The recipients that led to this hook, as the relay wrote them. */
  readonly envelopeTo: readonly string[];
  readonly tag: string | null;
  readonly verdicts: Verdicts;
  /** Object names by part number of the attachments that were stored. */
  readonly attachmentObjects: ReadonlyMap<string, string>;
  /** Object name of the raw mail, when it was stored. */
  readonly object: string | null;
  /** Of the ids of all hooks that the mail was sent to. */
  readonly cut: CutHookIds;
}

/** An address of a mail as events have it. */
export const addressJson = ({ name, address }: MailAddress, cut: CutHookIds): JsonText =>
  toCutJson({ name, address }, cut);

/** Header fields that hold message ids: what looks like a local part there is none. */
const MESSAGE_ID_FIELD = /^(?:.*message-id|in-reply-to|references|content-id)$/i;

function attachmentJson(attachment: Attachment, object: string | null, inline: boolean, cut: CutHookIds): JsonText {
  return objectOf([
    ["part", toJson(attachment.part)],
    ["filename", toCutJson(attachment.filename, cut)],
    ["mediaType", toCutJson(attachment.mediaType, cut)],
    ["size", toJson(attachment.size)],
    ["sha256", toJson(attachment.sha256)],
    ["object", toJson(object)],
    [
      "content",
      toJson(
        inline
          ? Buffer.from(attachment.bytes.buffer, attachment.bytes.byteOffset, attachment.bytes.byteLength).toString(
              "base64",
            )
          : null,
      ),
    ],
  ]);
}

/** Whether an attachment travels as base64 inside the event instead of as an object. */
export function travelsInside({ size, holdsKey }: Attachment): boolean {
  return size < INLINE_ATTACHMENT_BYTES && holdsKey !== true;
}

/** `data.mail` of an event (contract §5). Hook ids are cut in every string of it but the sender's own text and HTML. */
export function mailJson(context: MailContext, options: Pick<HookOptions, "include" | "attachments">): JsonText {
  const { summary, envelope, cut } = context;
  const [from] = summary.from;
  const ours = (value: unknown) => toCutJson(value, cut);
  const addressesJson = (addresses: readonly MailAddress[]) =>
    arrayOf(addresses.map((address) => addressJson(address, cut)));
  const messageId = (text: string) => cut(text, "message-id");
  const includes = (part: "text" | "html" | "headers") => options.include.includes(part);
  return objectOf([
    ["from", from === undefined ? toJson(null) : addressJson(from, cut)],
    ["to", addressesJson(summary.to)],
    ["cc", addressesJson(summary.cc)],
    ["replyTo", addressesJson(summary.replyTo)],
    ["subject", ours(summary.mailSubject)],
    ["date", toJson(summary.date)],
    ["messageId", toJson(summary.messageId && messageId(summary.messageId))],
    ["inReplyTo", toJson(summary.inReplyTo && messageId(summary.inReplyTo))],
    ["references", toJson(summary.references.map(messageId))],
    ["autoSubmitted", ours(summary.autoSubmitted)],
    ["tag", ours(context.tag)],
    ["text", includes("text") ? toJson(summary.text) : undefined],
    ["textTruncated", includes("text") || includes("html") ? toJson(summary.textTruncated) : undefined],
    ["html", includes("html") ? toJson(summary.html) : undefined],
    [
      "headers",
      includes("headers")
        ? toJson(
            summary.headers.map(({ name, value }) => ({
              name: cut(name),
              value: cut(value, MESSAGE_ID_FIELD.test(name) ? "message-id" : undefined),
            })),
          )
        : undefined,
    ],
    ["envelope", envelopeJson(envelope, context.envelopeTo, cut)],
    ["authentication", ours(context.verdicts)],
    [
      "attachments",
      arrayOf(
        summary.attachments.map((attachment) => {
          const inline = options.attachments === "store" && travelsInside(attachment);
          return attachmentJson(attachment, context.attachmentObjects.get(attachment.part) ?? null, inline, cut);
        }),
      ),
    ],
    ["size", toJson(summary.size)],
    ["object", toJson(context.object)],
  ]);
}

/** `envelope` of an event or dead letter. */
export function envelopeJson(envelope: Envelope, to: readonly string[], cut: CutHookIds): JsonText {
  const { from, remoteAddress, helo, protocol, tls } = envelope;
  return toCutJson({ from, to, remoteAddress, helo, protocol, tls }, cut);
}
