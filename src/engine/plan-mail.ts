import { hash } from "node:crypto";

import type { DeadLetterFrame } from "../event/dead-letter.ts";
import { deadLetterJson } from "../event/dead-letter.ts";
import type { EventFrame } from "../event/build-event.ts";
import { eventJson } from "../event/build-event.ts";
import { mailEventId, messageKeyOf, unreadMailIdentity } from "../event/event-id.ts";
import { itemsJson, skippedJson } from "../event/items-json.ts";
import { objectOf, toJson } from "../event/json.ts";
import type { MailContext } from "../event/mail-json.ts";
import { mailJson, travelsInside } from "../event/mail-json.ts";
import { deadLetterObjectNameOf, objectNameOf } from "../event/object-name.ts";
import { rawMailJson } from "../event/raw-mail-json.ts";
import type { CutHookIds } from "../model/cut-hook-ids.ts";
import { hookIdCutter } from "../model/cut-hook-ids.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Extraction, Item } from "../model/item.ts";
import type { JsonText, MailSummary } from "../model/mail.ts";
import type { EventId } from "../model/outcome.ts";
import type { Verdicts } from "../model/verdicts.ts";
import type { MailHead } from "../parse/mail-head.ts";
import { parseMailHead } from "../parse/mail-head.ts";
import type { ByteChunks } from "./byte-chunks.ts";
import { isAutomatic } from "./decide.ts";
import type { DeliveryJob, MailJob } from "./job.ts";
import type { WireObject, WirePlan } from "./messages.ts";

/** One mail of which the deliveries become plans. */
export interface MailToPlan {
  readonly job: MailJob;
  /** Set when the mail was read. */
  readonly read?: { readonly summary: MailSummary; readonly extraction: Extraction; readonly verdicts: Verdicts };
}

/** Where the bytes of plans go, and the objects that they name. */
export interface PlanSink {
  readonly chunks: ByteChunks;
  readonly objects: WireObject[];
}

export interface PlanSettings {
  readonly objectBucket: string;
  readonly maxHeaderBytes: number;
}

/** Turns decisions over one mail into the finished bytes of its events and dead letters. What they share is made once. */
export class MailPlanner {
  readonly #mail: MailToPlan;
  readonly #settings: PlanSettings;
  readonly #identity: MailSummary["identity"];
  readonly #cut: CutHookIds;
  #messageKey: string | undefined;
  #rawSha256: string | undefined;
  #head: MailHead | undefined;
  readonly #named = new Set<string>();

  constructor(mail: MailToPlan, settings: PlanSettings) {
    this.#mail = mail;
    this.#settings = settings;
    this.#cut = hookIdCutter(mail.job.deliveries.map(({ hook }) => hook.hookId));
    this.#identity =
      mail.read?.summary.identity ?? unreadMailIdentity((this.#rawSha256 = hash("sha256", mail.job.bytes)));
  }

  /** An event around `payload`; where it is too big, its data is an object of its own. */
  publish(
    delivery: DeliveryJob,
    chosen: { readonly payload: JsonText; readonly items: readonly Item[] },
    sink: PlanSink,
  ): WirePlan {
    const { job } = this.#mail;
    const { summary, extraction } = this.#read();
    const names: string[] = [];
    const attachmentObjects = this.#attachments(delivery, names, sink);
    const archived = job.archivesAll ? this.#rawObject(names, sink) : null;
    const dataWith = (object: string | null) =>
      objectOf([
        ["payload", chosen.payload],
        ["items", itemsJson(chosen.items)],
        ["skipped", skippedJson(extraction.skipped, this.#cut)],
        ["mail", mailJson(this.#context(delivery, attachmentObjects, object), delivery.hook.options)],
      ]);
    const eventId = this.eventIdOf(delivery);
    const frame: EventFrame = {
      eventId,
      hook: delivery.hook,
      subject: summary.mailSubject,
      cut: this.#cut,
      receivedAt: job.receivedAt,
      traceparent: delivery.traceparent,
      ...(delivery.schemaSha256 !== undefined && { schemaSha256: delivery.schemaSha256 }),
    };
    // What surely does not fit is not built twice.
    const whole = chosen.payload.length > job.maxEventBytes ? undefined : eventJson(frame, "data", dataWith(archived));
    if (whole !== undefined && fits(whole, job.maxEventBytes))
      return { kind: "publish", eventId, bytes: sink.chunks.text(whole), objects: names };
    // A big event keeps the raw mail too, so that nothing which did not fit is out of reach (contract §9, POSTHORN_ARCHIVE).
    const data = Buffer.from(dataWith(archived ?? this.#rawObject(names, sink)));
    const name = this.#object(data, hash("sha256", data), names, sink);
    const dataref = toJson(`nats-object://${this.#settings.objectBucket}/${name}`);
    return {
      kind: "publish",
      eventId,
      bytes: sink.chunks.text(eventJson(frame, "dataref", dataref)),
      objects: names,
    };
  }

  deadLetter(delivery: DeliveryJob, reason: DeadLetterReason, sink: PlanSink): WirePlan {
    const { job, read } = this.#mail;
    const { hook, tag, addresses } = delivery;
    const names: string[] = [];
    const object = this.#rawObject(names, sink, deadLetterObjectNameOf);
    const eventId = this.eventIdOf(delivery);
    const frame: DeadLetterFrame = {
      eventId,
      app: hook.app,
      eventName: hook.eventName,
      displayEventName: hook.displayEventName,
      hooktype: hook.type,
      receivedAt: job.receivedAt,
      reason,
      object,
      cut: this.#cut,
    };
    const letterWith = (include: readonly ("text" | "headers")[]) => {
      if (read === undefined) {
        const head = (this.#head ??= parseMailHead(job.bytes, this.#settings.maxHeaderBytes));
        const { envelope, bytes } = job;
        const mail = rawMailJson({
          head,
          envelope,
          envelopeTo: addresses,
          tag,
          size: bytes.length,
          object,
          cut: this.#cut,
        });
        return deadLetterJson(frame, { mail });
      }
      const context = this.#context(delivery, new Map(), object);
      const about = { ...context, summary: { ...context.summary, attachments: [] } };
      return deadLetterJson(frame, { mail: mailJson(about, { include, attachments: "drop" }) });
    };
    const whole = letterWith(["text", "headers"]);
    // The raw mail stands beside it, so nothing is out of reach; a letter that no server takes would circle for ever.
    const letter = fits(whole, job.maxEventBytes) ? whole : letterWith([]);
    return { kind: "dead-letter", eventId, reason, bytes: sink.chunks.text(letter), objects: names };
  }

  #read(): NonNullable<MailToPlan["read"]> {
    const { read } = this.#mail;
    if (read === undefined) throw new Error("an event of a mail that was not read");
    return read;
  }

  eventIdOf({ hook, tag }: DeliveryJob): EventId {
    return mailEventId({ identity: this.#identity }, hook.app, hook.eventName, tag);
  }

  /** Attachments that travel as objects, by part number. */
  #attachments({ hook }: DeliveryJob, names: string[], sink: PlanSink): ReadonlyMap<string, string> {
    const objects = new Map<string, string>();
    if (hook.options.attachments === "drop") return objects;
    for (const attachment of this.#read().summary.attachments) {
      if (travelsInside(attachment)) continue;
      const { bytes, sha256, size, isEncoded } = attachment;
      objects.set(attachment.part, this.#object(bytes, sha256, names, sink, { size, isEncoded: isEncoded === true }));
    }
    return objects;
  }

  #rawObject(names: string[], sink: PlanSink, nameOf = objectNameOf): string {
    const { bytes } = this.#mail.job;
    this.#rawSha256 ??= hash("sha256", bytes);
    return this.#object(bytes, this.#rawSha256, names, sink, { size: bytes.length, isEncoded: false, nameOf });
  }

  #object(
    bytes: Uint8Array,
    sha256: string,
    names: string[],
    sink: PlanSink,
    {
      size = bytes.length,
      isEncoded = false,
      nameOf = objectNameOf,
    }: { readonly size?: number; readonly isEncoded?: boolean; readonly nameOf?: typeof objectNameOf } = {},
  ): string {
    this.#messageKey ??= messageKeyOf(this.#identity);
    const name = nameOf(this.#messageKey, sha256, this.#mail.job.receivedAt);
    names.push(name);
    if (!this.#named.has(name)) {
      this.#named.add(name);
      sink.objects.push({ name, size, sha256, isEncoded, bytes: sink.chunks.bytes(bytes, this.#mail.job.bytes) });
    }
    return name;
  }

  #context(delivery: DeliveryJob, attachmentObjects: ReadonlyMap<string, string>, object: string | null): MailContext {
    const { envelope } = this.#mail.job;
    const { summary, verdicts } = this.#read();
    // Mail from the null sender is automatic even when its header forgets to say so (RFC 5321 §4.5.5, RFC 3834 §5).
    const autoSubmitted = summary.autoSubmitted ?? (isAutomatic(summary, envelope) ? "auto-replied" : null);
    return {
      summary: autoSubmitted === summary.autoSubmitted ? summary : { ...summary, autoSubmitted },
      envelope,
      envelopeTo: delivery.addresses,
      tag: delivery.tag,
      verdicts,
      attachmentObjects,
      object,
      cut: this.#cut,
    };
  }
}

/** Whether `text` takes at most `maxBytes` of UTF-8; mostly known without counting. */
function fits(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return false;
  return text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes;
}
