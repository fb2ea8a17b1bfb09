import { combine } from "../pipeline/combine.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import { deliverMail } from "../pipeline/deliver-mail.ts";
import type { DeadRequest } from "../pipeline/release-request.ts";
import { releaseRequest } from "../pipeline/release-request.ts";
import type { Hook } from "../model/hook.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Envelope } from "../model/mail.ts";
import type { StoredDeadLetter } from "../publish/dead-letters.ts";
import { discardDeadLetter } from "../publish/dead-letters.ts";
import { getObject } from "../publish/objects.ts";
import type { Storage } from "./storage.ts";

export type ReplayResult =
  | { readonly kind: "published"; readonly outcome: Outcome }
  | { readonly kind: "dead-again"; readonly outcome: Outcome }
  | { readonly kind: "not-possible"; readonly why: string };

const REPLAY_MS = 30_000;

/**
 * Runs a dead letter's raw mail through the same path as a new one. When it became an event, the dead letter is taken
 * away; the event's id is the mail's own, so that a replay that was cut off and done again makes one event.
 */
export async function replayDeadLetter(
  storage: Storage,
  stages: MailStages,
  found: { readonly sequence: number; readonly letter: StoredDeadLetter },
): Promise<ReplayResult> {
  const { letter, sequence } = found;
  const hook = storage.snapshot.hookByEventName(letter.eventName);
  if (hook === undefined) return { kind: "not-possible", why: `no hook publishes ${letter.eventName} any more` };
  if (letter.http !== undefined && letter.object !== null) return release(storage, stages, found, hook);
  if (letter.mail === undefined || letter.object === null) return { kind: "not-possible", why: "it holds no raw mail" };
  const bytes = await getObject(storage.objects, letter.object);
  if (bytes === undefined) return { kind: "not-possible", why: "its raw mail has expired" };
  const { tag, envelope } = letter.mail;
  const outcomes = await deliverMail(
    {
      envelope: envelope as unknown as Envelope,
      recipients: [{ address: envelope.to[0] ?? "", tag, hook }],
      bytes,
      receivedAt: Date.parse(letter.time),
      // What a relay told us at the time is not kept; anything in the mail itself could be the sender's.
      peer: "stranger",
      transactionId: `replay ${letter.id}`,
    },
    stages,
    AbortSignal.timeout(REPLAY_MS),
  );
  const [outcome] = outcomes;
  if (outcome === undefined || combine(outcomes).kind !== "taken")
    return {
      kind: "not-possible",
      why: outcome?.kind === "tryLater" ? `try later: ${outcome.cause}` : "it was refused",
    };
  if (outcome.kind !== "stored") return { kind: "dead-again", outcome };
  await discardDeadLetter(storage.jsm, sequence);
  return { kind: "published", outcome };
}

/** A request that was taken for spam, and is none. */
async function release(
  storage: Storage,
  stages: MailStages,
  { letter, sequence }: { readonly sequence: number; readonly letter: StoredDeadLetter },
  hook: Hook,
): Promise<ReplayResult> {
  const body = letter.object === null ? undefined : await getObject(storage.objects, letter.object);
  if (body === undefined || letter.http === undefined) return { kind: "not-possible", why: "its body has expired" };
  const dead = { id: letter.id, time: letter.time, http: letter.http as unknown as DeadRequest, body };
  const outcome = await releaseRequest(dead, hook, stages, AbortSignal.timeout(REPLAY_MS));
  if (outcome === undefined) return { kind: "not-possible", why: "its body cannot be read" };
  if (outcome.kind !== "stored")
    return { kind: "not-possible", why: outcome.kind === "tryLater" ? `try later: ${outcome.cause}` : outcome.kind };
  await discardDeadLetter(storage.jsm, sequence);
  return { kind: "published", outcome };
}
