import type { BuiltEvent, OutsizedEvent } from "../event/build-event.ts";
import { buildEvent } from "../event/build-event.ts";
import { buildDeadLetter } from "../event/dead-letter.ts";
import { mailEventId } from "../event/event-id.ts";
import { itemsJson, skippedJson } from "../event/items-json.ts";
import { objectOf } from "../event/json.ts";
import type { MailContext } from "../event/mail-json.ts";
import { mailJson, travelsInside } from "../event/mail-json.ts";
import { rawMailJson } from "../event/raw-mail-json.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { JsonText, ReceivedMail } from "../model/mail.ts";
import type { EventId, Outcome } from "../model/outcome.ts";
import type { Verdicts } from "../model/verdicts.ts";
import type { MailReading } from "../worker/read-mail.ts";
import type { Decision } from "./decide.ts";
import { isAutomatic } from "./decide.ts";
import type { MailStages, StoredObject } from "./deliver-mail.ts";
import type { Delivery } from "./deliveries.ts";
import { rawIdentity } from "./raw-identity.ts";
import { withStoredData } from "./with-stored-data.ts";

type Publication = Decision & { readonly kind: "publish" };
type Read = MailReading & { readonly kind: "read" };

/** What the deliveries of one mail share, and how each of them is stored. */
export class OneMail {
  readonly #mail: ReceivedMail;
  readonly #stages: MailStages;
  readonly #signal: AbortSignal;
  readonly #rawObject: () => Promise<StoredObject>;
  readonly #verdicts: Verdicts;
  #rawIdentity: ReturnType<typeof rawIdentity> | undefined;

  constructor(
    mail: ReceivedMail,
    stages: MailStages,
    signal: AbortSignal,
    rawObject: () => Promise<StoredObject>,
    verdicts: Verdicts,
  ) {
    this.#mail = mail;
    this.#stages = stages;
    this.#signal = signal;
    this.#rawObject = rawObject;
    this.#verdicts = verdicts;
  }

  async publish(delivery: Delivery, reading: Read, decision: Publication): Promise<Outcome> {
    const { hook } = delivery;
    const { extraction, summary } = reading;
    const attachmentObjects = await this.#storeAttachments(reading, hook);
    if ("cause" in attachmentObjects) return attachmentObjects;
    const archived = this.#stages.archive === "all" ? await this.#rawObject() : undefined;
    if (archived?.kind === "tryLater") return archived;
    const eventWith = (object: string | null) => {
      const context = this.#context(delivery, reading, attachmentObjects, object);
      const data = objectOf([
        ["payload", decision.payload],
        ["items", itemsJson(decision.items)],
        ["skipped", skippedJson(extraction.skipped)],
        ["mail", mailJson(context, hook.options)],
      ]);
      return this.#build(
        delivery,
        mailEventId(summary, hook.app, hook.eventName, delivery.tag),
        summary.mailSubject,
        data,
      );
    };
    let event = eventWith(archived?.name ?? null);
    if ("data" in event && archived === undefined) {
      // A big event keeps the raw mail too, so that nothing which did not fit is out of reach (contract §9, POSTHORN_ARCHIVE).
      const raw = await this.#rawObject();
      if (raw.kind === "tryLater") return raw;
      event = eventWith(raw.name);
    }
    const fitting = await withStoredData(event, this.#stages, this.#mail.receivedAt, this.#signal);
    return "kind" in fitting ? fitting : (await this.#stages.publishEvent(fitting, this.#signal)).outcome;
  }

  deadLetter(delivery: Delivery, reading: Read, reason: DeadLetterReason): Promise<Outcome> {
    const { hook, tag } = delivery;
    const context = this.#context(delivery, reading, new Map(), null);
    const about = (object: string, isTooBig: boolean) =>
      mailJson(
        { ...context, object, summary: { ...reading.summary, attachments: [] } },
        { include: isTooBig ? [] : ["text", "headers"], attachments: "drop" },
      );
    return this.#storeDeadLetter(delivery, mailEventId(reading.summary, hook.app, hook.eventName, tag), reason, about);
  }

  /** A mail that nobody could read: only the envelope and the raw bytes speak for it. */
  async deadLetterUnread(delivery: Delivery, reason: DeadLetterReason): Promise<Outcome> {
    const { hook, tag, addresses } = delivery;
    const { bytes, envelope } = this.#mail;
    this.#rawIdentity ??= rawIdentity(bytes, this.#stages);
    const id = mailEventId({ identity: await this.#rawIdentity }, hook.app, hook.eventName, tag);
    return this.#storeDeadLetter(delivery, id, reason, (object) =>
      rawMailJson({ envelope, envelopeTo: addresses, tag, size: bytes.length, object }),
    );
  }

  async #storeDeadLetter(
    delivery: Delivery,
    eventId: EventId,
    reason: DeadLetterReason,
    about: (object: string, isTooBig: boolean) => JsonText,
  ): Promise<Outcome> {
    const raw = await this.#rawObject();
    if (raw.kind === "tryLater") return raw;
    const { hook } = delivery;
    const frame = {
      eventId,
      app: hook.app,
      eventName: hook.eventName,
      displayEventName: hook.displayEventName,
      hooktype: hook.type,
      receivedAt: this.#mail.receivedAt,
      reason,
      object: raw.name,
    };
    let letter = buildDeadLetter(frame, { mail: about(raw.name, false) });
    // The raw mail stands beside it, so nothing is out of reach; a letter that no server takes would circle for ever.
    if (letter.bytes.length > this.#stages.maxEventBytes)
      letter = buildDeadLetter(frame, { mail: about(raw.name, true) });
    return (await this.#stages.publishDeadLetter(letter, this.#signal)).outcome;
  }

  async #storeAttachments(
    reading: Read,
    hook: Hook,
  ): Promise<ReadonlyMap<string, string> | (StoredObject & { kind: "tryLater" })> {
    const names = new Map<string, string>();
    if (hook.options.attachments === "drop") return names;
    for (const attachment of reading.summary.attachments) {
      if (travelsInside(attachment)) continue;
      const stored = await this.#stages.storeAttachment(attachment, this.#mail.receivedAt, this.#signal);
      if (stored.kind === "tryLater") return stored;
      names.set(attachment.part, stored.name);
    }
    return names;
  }

  #context(
    delivery: Delivery,
    reading: Read,
    attachmentObjects: ReadonlyMap<string, string>,
    object: string | null,
  ): MailContext {
    const { envelope } = this.#mail;
    const { summary } = reading;
    // Mail from the null sender is automatic even when its header forgets to say so (RFC 5321 §4.5.5, RFC 3834 §5).
    const autoSubmitted = summary.autoSubmitted ?? (isAutomatic(summary, envelope) ? "auto-replied" : null);
    return {
      summary: { ...summary, autoSubmitted },
      envelope,
      envelopeTo: delivery.addresses,
      tag: delivery.tag,
      verdicts: this.#verdicts,
      attachmentObjects,
      object,
    };
  }

  #build(delivery: Delivery, eventId: EventId, subject: string | null, data: JsonText): BuiltEvent | OutsizedEvent {
    const { receivedAt } = this.#mail;
    const { hook } = delivery;
    const schemaSha256 = this.#stages.schemaSha256Of(hook);
    const frame = {
      eventId,
      hook,
      subject,
      receivedAt,
      traceparent: this.#stages.newTraceparent(),
      ...(schemaSha256 !== undefined && { schemaSha256 }),
    };
    return buildEvent(frame, data, { maxBytes: this.#stages.maxEventBytes, bucket: this.#stages.objectBucket });
  }
}
