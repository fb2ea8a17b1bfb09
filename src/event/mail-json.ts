import { redactHookIds } from "../model/hook-id.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Attachment, Envelope, MailAddress, MailSummary } from "../model/mail.ts";
import type { JsonText } from "../model/mail.ts";
import type { Verdicts } from "../model/verdicts.ts";
import { arrayOf, objectOf, toJson } from "./json.ts";

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
}

/** An address of a mail as events have it. */
export const addressJson = (address: MailAddress): JsonText =>
  toJson({ name: address.name, address: redactHookIds(address.address) });
const addressesJson = (addresses: readonly MailAddress[]) => arrayOf(addresses.map(addressJson));

function attachmentJson(attachment: Attachment, object: string | null, inline: boolean): JsonText {
  return objectOf([
    ["part", toJson(attachment.part)],
    ["filename", toJson(attachment.filename)],
    ["mediaType", toJson(attachment.mediaType)],
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

/** `data.mail` of an event (contract §5). Hook ids in addresses are cut to their first four characters. */
export function mailJson(context: MailContext, options: Pick<HookOptions, "include" | "attachments">): JsonText {
  const { summary, envelope } = context;
  const [from] = summary.from;
  const includes = (part: "text" | "html" | "headers") => options.include.includes(part);
  return objectOf([
    ["from", from === undefined ? toJson(null) : addressJson(from)],
    ["to", addressesJson(summary.to)],
    ["cc", addressesJson(summary.cc)],
    ["replyTo", addressesJson(summary.replyTo)],
    ["subject", toJson(summary.mailSubject)],
    ["date", toJson(summary.date)],
    ["messageId", toJson(summary.messageId)],
    ["inReplyTo", toJson(summary.inReplyTo)],
    ["references", toJson(summary.references)],
    ["autoSubmitted", toJson(summary.autoSubmitted)],
    ["tag", toJson(context.tag)],
    ["text", includes("text") ? toJson(summary.text) : undefined],
    ["textTruncated", includes("text") || includes("html") ? toJson(summary.textTruncated) : undefined],
    ["html", includes("html") ? toJson(summary.html) : undefined],
    [
      "headers",
      includes("headers")
        ? toJson(summary.headers.map(({ name, value }) => ({ name, value: redactHookIds(value) })))
        : undefined,
    ],
    ["envelope", envelopeJson(envelope, context.envelopeTo)],
    ["authentication", toJson(context.verdicts)],
    [
      "attachments",
      arrayOf(
        summary.attachments.map((attachment) => {
          const inline = options.attachments === "store" && travelsInside(attachment);
          return attachmentJson(attachment, context.attachmentObjects.get(attachment.part) ?? null, inline);
        }),
      ),
    ],
    ["size", toJson(summary.size)],
    ["object", toJson(context.object)],
  ]);
}

/** `envelope` of an event or dead letter. */
export function envelopeJson(envelope: Envelope, to: readonly string[]): JsonText {
  return toJson({
    from: redactHookIds(envelope.from),
    to: to.map(redactHookIds),
    remoteAddress: envelope.remoteAddress,
    helo: envelope.helo,
    protocol: envelope.protocol,
    tls: envelope.tls,
  });
}
