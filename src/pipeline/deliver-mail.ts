import type {
  DeliveryJob,
  MailAnswer,
  MailFacts,
  MailJob,
  NotPlanned,
  Plan,
  Planned,
  PlannedObject,
} from "../engine/job.ts";
import type { RequestReading, RequestToRead } from "../engine/read-request.ts";
import type { TaskFailure } from "../engine/work.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { ReceivedMail } from "../model/mail.ts";
import type { EventId, Outcome, TryLaterCause } from "../model/outcome.ts";
import type { PublishOutcome } from "../publish/publish-event.ts";
import type { Delivery } from "./deliveries.ts";
import { deliveriesOf } from "./deliveries.ts";

/** An event or dead letter, ready for NATS. */
interface Publishable {
  readonly eventId: EventId;
  readonly hook: Hook;
  /** As it stands in the event. */
  readonly traceparent: string;
  readonly bytes: Uint8Array;
}

/** What a delivery needs from the other rooms; wired by `daemon`. */
export interface MailStages {
  /** Reads, decides and builds, in an engine thread. Never rejects. */
  plan(job: MailJob, signal: AbortSignal): Promise<MailAnswer>;
  /** Reads what a form or web hook was sent, in an engine thread. Never rejects. */
  readRequest(request: RequestToRead): Promise<RequestReading | TaskFailure>;
  /** The secret that the hook's `key` option names. */
  keyOf(hook: Hook): string | undefined;
  /** Stores an object under its name unless it stands there, or says why it is not stored. */
  storeObject(object: PlannedObject, signal: AbortSignal): Promise<StoredObject>;
  /** Stores bytes below the name of their message, by content. */
  storeBytes(
    bytes: Uint8Array,
    message: { readonly messageKey: string; readonly receivedAt: number },
    signal: AbortSignal,
  ): Promise<StoredObject>;
  /** Whether an event of this id is known to be stored, by an earlier try whose sender was told to come again. */
  isStored(eventId: EventId): boolean;
  publishEvent(event: Publishable, signal: AbortSignal): Promise<PublishOutcome>;
  publishDeadLetter(letter: DeadLetter, signal: AbortSignal): Promise<PublishOutcome>;
  newTraceparent(): string;
  /** Why something went wrong that the sender only sees as "try later". */
  logFault(sentence: string, fields: { readonly transactionId: string; readonly error: unknown }): void;
  readonly maxEventBytes: number;
  readonly objectBucket: string;
  readonly archive: "dead" | "all";
  readonly schemaSha256Of: (hook: Hook) => string | undefined;
}

/** A dead letter, ready for NATS. */
interface DeadLetter {
  readonly eventId: EventId;
  /** Names the subject `posthorn.dead.<app>.<eventName>`. */
  readonly app: string;
  readonly eventName: string;
  readonly reason: DeadLetterReason;
  readonly bytes: Uint8Array;
}

export type StoredObject =
  | { readonly kind: "stored"; readonly name: string }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error: unknown };

/** What became of a mail. */
export interface MailOutcome {
  /** One for each recipient, in RCPT order. */
  readonly outcomes: readonly Outcome[];
  readonly facts: MailFacts;
}

const NO_FACTS: MailFacts = { messageId: null };

/** Takes a mail to one outcome per recipient. Never throws; ends when `signal` aborts at the latest. */
export async function deliverMail(mail: ReceivedMail, stages: MailStages, signal: AbortSignal): Promise<MailOutcome> {
  const { deliveries, indexOf } = deliveriesOf(mail.recipients);
  const all = (outcome: Outcome): MailOutcome => ({ outcomes: deliveries.map(() => outcome), facts: NO_FACTS });
  const { outcomes, facts } = await deliverAll(mail, deliveries, stages, signal).catch((error: unknown) => {
    // A bug of ours, or a library that broke its promise: the relay keeps the mail.
    stages.logFault("A mail could not be delivered", { transactionId: mail.transactionId, error });
    return all({ kind: "tryLater", cause: "our-fault", error });
  });
  return { outcomes: indexOf.map((index) => outcomes[index] ?? { kind: "tryLater", cause: "our-fault" }), facts };
}

async function deliverAll(
  mail: ReceivedMail,
  deliveries: readonly Delivery[],
  stages: MailStages,
  signal: AbortSignal,
): Promise<MailOutcome> {
  const job = jobOf(mail, deliveries, stages);
  if ("error" in job) {
    stages.logFault("A hook's key is not set; the relay keeps the mail", { transactionId: mail.transactionId, ...job });
    const outcome: Outcome = { kind: "tryLater", cause: "setting-wrong", error: job.error };
    return { outcomes: deliveries.map(() => outcome), facts: NO_FACTS };
  }
  const store = storeOnce(stages, signal);
  const answer = await stages.plan(job, signal);
  if (answer.kind === "planned") {
    const outcomes = await carryOutAll(answer, job.deliveries, { stages, store, signal });
    return { outcomes, facts: answer.facts };
  }
  if (answer.kind !== "one-by-one") {
    const outcome = notPlanned(answer, mail, stages);
    return { outcomes: deliveries.map(() => outcome), facts: NO_FACTS };
  }
  const outcomes: Outcome[] = [];
  try {
    for (const [index, delivery] of job.deliveries.entries()) {
      const eventId = answer.eventIds[index];
      // An earlier try has stored it, and its sender had to come again for the others.
      if (eventId !== undefined && stages.isStored(eventId)) {
        outcomes.push({ kind: "stored", eventId, duplicate: true });
        continue;
      }
      // Without time left the rest would be built for nothing.
      const planned = signal.aborted ? ({ kind: "too-slow" } as const) : await answer.plan(index);
      if (planned.kind === "planned")
        outcomes.push(...(await carryOutAll(planned, [delivery], { stages, store, signal })));
      else outcomes.push(notPlanned(planned, mail, stages));
    }
  } finally {
    answer.end();
  }
  return { outcomes, facts: answer.facts };
}

interface CarryOutParts {
  readonly stages: MailStages;
  readonly store: StoreOnce;
  readonly signal: AbortSignal;
}

async function carryOutAll(
  { plans, objects, release }: Planned,
  deliveries: readonly DeliveryJob[],
  parts: CarryOutParts,
): Promise<Outcome[]> {
  try {
    return await Promise.all(plans.map((plan, index) => carryOut(plan, deliveries[index], objects, parts)));
  } finally {
    release();
  }
}

function jobOf(
  mail: ReceivedMail,
  deliveries: readonly Delivery[],
  stages: MailStages,
): MailJob | { readonly error: Error } {
  const { bytes, envelope, peer, receivedAt } = mail;
  const jobs: DeliveryJob[] = [];
  for (const { hook, tag, addresses } of deliveries) {
    const { key } = hook.options;
    const keyValue = key === undefined ? undefined : stages.keyOf(hook);
    // Without the secret nobody could tell whose items count; taking them all would be worse than waiting.
    if (key !== undefined && keyValue === undefined)
      return { error: new Error(`the key of ${hook.eventName} (${key}) is not set`) };
    const schemaSha256 = stages.schemaSha256Of(hook);
    jobs.push({ hook, keyValue, schemaSha256, tag, addresses, traceparent: stages.newTraceparent() });
  }
  return {
    bytes,
    envelope,
    peer,
    receivedAt,
    repliesEach: envelope.protocol.startsWith("LMTP"),
    archivesAll: stages.archive === "all",
    maxEventBytes: stages.maxEventBytes,
    deliveries: jobs,
  };
}

function notPlanned(answer: NotPlanned, { transactionId }: ReceivedMail, stages: MailStages): Outcome {
  switch (answer.kind) {
    case "busy":
      return { kind: "tryLater", cause: "busy" };
    case "too-slow":
      return { kind: "tryLater", cause: "parse-slow" };
    case "fault": {
      const error = new Error(answer.error);
      stages.logFault("A mail could not be decided about", { transactionId, error });
      return { kind: "tryLater", cause: "our-fault", error };
    }
    default:
      return unreachable(answer);
  }
}

type StoreOnce = (name: string, objects: readonly PlannedObject[]) => Promise<StoredObject>;

/** An object that several deliveries name is stored once; with the plans for later ones it does not come along again. */
function storeOnce(stages: MailStages, signal: AbortSignal): StoreOnce {
  const begun = new Map<string, Promise<StoredObject>>();
  return (name, objects) => {
    let stored = begun.get(name);
    if (stored === undefined) {
      const object = objects.find((each) => each.name === name);
      if (object === undefined) throw new Error("a plan names an object that did not come along");
      stored = stages.storeObject(object, signal);
      begun.set(name, stored);
    }
    return stored;
  };
}

/** Objects first, then the event or dead letter that names them. */
async function carryOut(
  plan: Plan,
  delivery: DeliveryJob | undefined,
  objects: readonly PlannedObject[],
  { stages, store, signal }: CarryOutParts,
): Promise<Outcome> {
  if (delivery === undefined) throw new Error("a plan without a delivery");
  switch (plan.kind) {
    case "refuse":
      return { kind: "refused", cause: plan.cause };
    case "try-later":
      return {
        kind: "tryLater",
        cause: plan.cause,
        ...(plan.detail !== undefined && { error: new Error(plan.detail) }),
      };
    case "publish":
    case "dead-letter": {
      for (const name of plan.objects) {
        const stored = await store(name, objects);
        if (stored.kind === "tryLater") return stored;
      }
      const { eventId, bytes } = plan;
      const { hook, traceparent } = delivery;
      const { app, eventName } = hook;
      const { outcome } =
        plan.kind === "publish"
          ? await stages.publishEvent({ eventId, hook, bytes, traceparent }, signal)
          : await stages.publishDeadLetter({ eventId, app, eventName, reason: plan.reason, bytes }, signal);
      return outcome;
    }
    default:
      return unreachable(plan);
  }
}
