import type { BuiltDeadLetter } from "../event/dead-letter.ts";
import type { BuiltEvent } from "../event/build-event.ts";
import type { PendingAuthentication } from "../authenticate/mail.ts";
import { unreachable } from "../lib/unreachable.ts";
import { within } from "../lib/within.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { Attachment, ReceivedMail } from "../model/mail.ts";
import type { Outcome, TryLaterCause } from "../model/outcome.ts";
import type { Authentication } from "../model/verdicts.ts";
import type { PublishOutcome } from "../publish/publish-event.ts";
import type { PoolResult } from "../worker/job.ts";
import type { HookWish } from "../worker/read-mail.ts";
import { combine } from "./combine.ts";
import { decide } from "./decide.ts";
import type { Delivery } from "./deliveries.ts";
import { deliveriesOf } from "./deliveries.ts";
import { OneMail } from "./one-mail.ts";

/** What a delivery needs from the other rooms; wired by `daemon`. */
export interface MailStages {
  /** Parses and extracts, in a worker or, for small plain mails, here. */
  read(bytes: Uint8Array, wishes: readonly HookWish[]): Promise<PoolResult>;
  /** The secret that the hook's `key` option names. */
  keyOf(hook: Hook): Promise<string | undefined>;
  /** Starts to look into who sent the mail. */
  verdictsOf(mail: ReceivedMail): PendingAuthentication;
  /** In hex; a thread has the work where there are many bytes, in shared memory. */
  sha256(bytes: Uint8Array): Promise<string>;
  /** Stores bytes by content and returns the object's name, or says why they are not stored. */
  storeObject(bytes: Uint8Array, receivedAt: number, signal: AbortSignal): Promise<StoredObject>;
  /** The same for an attachment, whose hash is known. */
  storeAttachment(attachment: Attachment, receivedAt: number, signal: AbortSignal): Promise<StoredObject>;
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
  if ("error" in wishes) {
    stages.logFault("A hook's key is not set; the relay keeps the mail", {
      transactionId: mail.transactionId,
      ...wishes,
    });
    return deliveries.map(() => ({ kind: "tryLater", cause: "setting-wrong", error: wishes.error }));
  }
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
          return one.publish(delivery, reading, decision);
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
  // What DNS said of mail like this is remembered, mostly: then it was known before the mail was read.
  if (pending.isWhole) return pending.soFar();
  return (await within(pending.whole, pending.patienceMs)) ?? pending.soFar();
}

async function wishesOf(
  deliveries: readonly Delivery[],
  stages: MailStages,
): Promise<readonly HookWish[] | { readonly error: Error }> {
  const wishes: HookWish[] = [];
  for (const { hook } of deliveries) {
    const { select, jsonld, schema, key, include } = hook.options;
    const keyValue = key === undefined ? undefined : await stages.keyOf(hook);
    // Without the secret nobody could tell whose items count; taking them all would be worse than waiting.
    if (key !== undefined && keyValue === undefined)
      return { error: new Error(`the key of ${hook.eventName} (${key}) is not set`) };
    wishes.push({
      options: { jsonld, ...(select && { select }), ...(schema !== undefined && { schema }) },
      ...(keyValue !== undefined && { keyValue }),
      withoutHtml: !include.includes("html"),
    });
  }
  return wishes;
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

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= work());
}
