import { mailEventId } from "../event/event-id.ts";
import type { BuiltDeadLetter } from "../event/dead-letter.ts";
import { buildDeadLetter } from "../event/dead-letter.ts";
import type { BuiltEvent } from "../event/build-event.ts";
import { buildEvent } from "../event/build-event.ts";
import { itemsJson, skippedJson } from "../event/items-json.ts";
import { objectOf } from "../event/json.ts";
import type { MailContext } from "../event/mail-json.ts";
import { INLINE_ATTACHMENT_BYTES, mailJson } from "../event/mail-json.ts";
import { rawMailJson } from "../event/raw-mail-json.ts";
import type { PendingAuthentication } from "../authenticate/mail.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { JsonText, ReceivedMail } from "../model/mail.ts";
import type { EventId, Outcome, TryLaterCause } from "../model/outcome.ts";
import type { Authentication, Verdicts } from "../model/verdicts.ts";
import type { PublishOutcome } from "../publish/publish-event.ts";
import type { PoolResult } from "../worker/pool.ts";
import type { HookWish, MailReading } from "../worker/read-mail.ts";
import { combine } from "./combine.ts";
import { decide, isAutomatic } from "./decide.ts";
import type { Delivery } from "./deliveries.ts";
import { deliveriesOf } from "./deliveries.ts";
import { rawIdentity } from "./raw-identity.ts";

/** What a delivery needs from the other rooms; wired by `daemon`. */
export interface MailStages {
  /** Parses and extracts, in a worker or, for small plain mails, here. */
  read(bytes: Uint8Array, wishes: readonly HookWish[]): Promise<PoolResult>;
  /** The secret that the hook's `key` option names. */
  keyOf(hook: Hook): Promise<string | undefined>;
  /** Starts to look into who sent the mail. */
  verdictsOf(mail: ReceivedMail): PendingAuthentication;
  /** Stores bytes by content and returns the object's name, or says why they are not stored. */
  storeObject(bytes: Uint8Array, receivedAt: number, signal: AbortSignal): Promise<StoredObject>;
  objectNameOf(bytes: Uint8Array, receivedAt: number): string;
  publishEvent(event: BuiltEvent, signal: AbortSignal): Promise<PublishOutcome>;
  publishDeadLetter(letter: BuiltDeadLetter, signal: AbortSignal): Promise<PublishOutcome>;
  newTraceparent(): string;
  /** Why something went wrong that the sender only sees as "try later". */
  logFault(sentence: string, fields: { readonly transactionId: string; readonly error: unknown }): void;
  readonly maxEventBytes: number;
  readonly objectBucket: string;
  readonly archive: "dead" | "all";
  readonly schemaSha256Of: (hook: Hook) => string | undefined;
}

export type StoredObject =
  | { readonly kind: "stored"; readonly name: string }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error: unknown };

type Read = MailReading & { readonly kind: "read" };

/**
 * One outcome per recipient, in RCPT order. Never throws; ends when `signal` aborts at the latest.
 *
 * A recipient that is refused while another one of the same SMTP mail was stored is dead-lettered, because one reply
 * has to speak for all (contract §7); over LMTP each recipient has its own reply.
 */
export async function deliverMail(
  mail: ReceivedMail,
  stages: MailStages,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const { deliveries, indexOf } = deliveriesOf(mail.recipients);
  const outcomes = await deliverAll(mail, deliveries, stages, signal).catch((error: unknown) => {
    // A bug of ours, or a library that broke its promise: the relay keeps the mail.
    stages.logFault("A mail could not be delivered", { transactionId: mail.transactionId, error });
    return deliveries.map((): Outcome => ({ kind: "tryLater", cause: "our-fault", error }));
  });
  return indexOf.map((index) => outcomes[index] ?? { kind: "tryLater", cause: "our-fault" });
}

async function deliverAll(
  mail: ReceivedMail,
  deliveries: readonly Delivery[],
  stages: MailStages,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const pending = stages.verdictsOf(mail);
  const wishes = await wishesOf(deliveries, stages);
  const rawObject = once(() => stages.storeObject(mail.bytes, mail.receivedAt, signal));
  const reading = await readTwice(mail.bytes, wishes, stages);
  if (reading.kind === "busy") return deliveries.map(() => ({ kind: "tryLater", cause: "busy" }));
  if (reading.kind === "too-slow") return deliveries.map(() => ({ kind: "tryLater", cause: "parse-slow" }));
  const authentication = await authenticationFor(deliveries, pending);
  const one = new OneMail(mail, stages, signal, rawObject, authentication.verdicts);
  if (reading.kind !== "read") {
    const reason = reasonUnread(reading);
    return Promise.all(deliveries.map((delivery) => one.deadLetterUnread(delivery, reason)));
  }
  const decisions = deliveries.map((delivery, index) => {
    const choice = reading.choices[index];
    if (choice === undefined) throw new Error("a reading without a choice for every hook");
    const { envelope } = mail;
    return decide({ hook: delivery.hook, envelope, summary: reading.summary, authentication, choice });
  });
  const outcomes = await Promise.all(
    decisions.map(async (decision, index): Promise<Outcome> => {
      const delivery = deliveries[index] as Delivery;
      switch (decision.kind) {
        case "publish":
          return one.publish(delivery, reading, decision.payload);
        case "dead-letter":
          return one.deadLetter(delivery, reading, decision.reason);
        case "refuse":
          return { kind: "refused", cause: decision.cause };
        case "try-later":
          return { kind: "tryLater", cause: decision.cause };
        default:
          return unreachable(decision);
      }
    }),
  );
  if (mail.envelope.protocol.startsWith("LMTP") || combine(outcomes).kind !== "taken") return outcomes;
  return Promise.all(
    outcomes.map(async (outcome, index): Promise<Outcome> => {
      const decision = decisions[index];
      return outcome.kind === "refused" && decision?.kind === "refuse"
        ? one.deadLetter(deliveries[index] as Delivery, reading, decision.reason)
        : outcome;
    }),
  );
}

/** The whole verdict where a hook demands one; else what DNS said in time. */
async function authenticationFor(
  deliveries: readonly Delivery[],
  pending: PendingAuthentication,
): Promise<Authentication> {
  if (deliveries.some(({ hook }) => hook.options.authenticate.require !== "none")) return pending.whole;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Authentication>((resolve) => {
    timer = setTimeout(() => resolve(pending.soFar()), pending.patienceMs);
  });
  const first = await Promise.race([pending.whole, late]);
  clearTimeout(timer);
  return first;
}

function wishesOf(deliveries: readonly Delivery[], stages: MailStages): Promise<HookWish[]> {
  return Promise.all(
    deliveries.map(async ({ hook }) => {
      const { select, jsonld, schema, key } = hook.options;
      const keyValue = key === undefined ? undefined : await stages.keyOf(hook);
      // Without the secret nobody could tell whose items count; taking them all would be worse than waiting.
      if (key !== undefined && keyValue === undefined)
        throw new Error(`the key of ${hook.eventName} (${key}) is not set`);
      return {
        options: { jsonld, ...(select && { select }), ...(schema !== undefined && { schema }) },
        ...(keyValue !== undefined && { keyValue }),
      };
    }),
  );
}

/** A thread may die for another reason than the mail it held, so a mail gets a second one before it is blamed. */
async function readTwice(bytes: Uint8Array, wishes: readonly HookWish[], stages: MailStages): Promise<PoolResult> {
  const first = await stages.read(bytes, wishes);
  return first.kind === "died" ? stages.read(bytes, wishes) : first;
}

function reasonUnread(reading: Exclude<PoolResult, { kind: "read" | "busy" | "too-slow" }>): DeadLetterReason {
  switch (reading.kind) {
    case "limit":
      return { code: "limit-exceeded", detail: `${reading.limit}: ${reading.detail}` };
    case "parse-timeout":
      return { code: "parse-timeout", detail: `Parsing was stopped after ${reading.cpuMs} ms of CPU time` };
    case "died":
      return {
        code: "unparseable",
        detail: `The thread that parsed it ended: ${reading.error.split("\n", 1)[0] ?? ""}`,
      };
    default:
      return unreachable(reading);
  }
}

/** What the deliveries of one mail share. */
class OneMail {
  readonly #mail: ReceivedMail;
  readonly #stages: MailStages;
  readonly #signal: AbortSignal;
  readonly #rawObject: () => Promise<StoredObject>;
  readonly #verdicts: Verdicts;

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

  async publish(delivery: Delivery, reading: Read, payload: JsonText): Promise<Outcome> {
    const { hook } = delivery;
    const { extraction, summary } = reading;
    const attachmentObjects = await this.#storeAttachments(reading, hook);
    if ("cause" in attachmentObjects) return attachmentObjects;
    const archived = this.#stages.archive === "all" ? await this.#rawObject() : undefined;
    if (archived?.kind === "tryLater") return archived;
    const eventWith = (object: string | null) => {
      const context = this.#context(delivery, reading, attachmentObjects, object);
      const data = objectOf([
        ["payload", payload],
        ["items", itemsJson(extraction.items)],
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
    if (event.claim !== undefined && archived === undefined) {
      // A big event keeps the raw mail too, so that nothing which did not fit is out of reach (contract §9, POSTHORN_ARCHIVE).
      const raw = await this.#rawObject();
      if (raw.kind === "tryLater") return raw;
      event = eventWith(raw.name);
    }
    if (event.claim !== undefined) {
      const claim = await this.#stages.storeObject(event.claim.bytes, this.#mail.receivedAt, this.#signal);
      if (claim.kind === "tryLater") return claim;
    }
    return (await this.#stages.publishEvent(event, this.#signal)).outcome;
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
  deadLetterUnread(delivery: Delivery, reason: DeadLetterReason): Promise<Outcome> {
    const { hook, tag, addresses } = delivery;
    const { bytes, envelope } = this.#mail;
    const id = mailEventId({ identity: rawIdentity(bytes) }, hook.app, hook.eventName, tag);
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
    for (const { part, bytes, size } of reading.summary.attachments) {
      if (size < INLINE_ATTACHMENT_BYTES) continue;
      const stored = await this.#stages.storeObject(bytes, this.#mail.receivedAt, this.#signal);
      if (stored.kind === "tryLater") return stored;
      names.set(part, stored.name);
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

  #build(delivery: Delivery, eventId: EventId, subject: string | null, data: JsonText): BuiltEvent {
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
    return buildEvent(frame, data, {
      maxBytes: this.#stages.maxEventBytes,
      bucket: this.#stages.objectBucket,
      claimName: (bytes) => this.#stages.objectNameOf(bytes, receivedAt),
    });
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= work());
}
