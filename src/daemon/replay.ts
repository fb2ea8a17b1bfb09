import { combine } from "../pipeline/combine.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import { deliverMail } from "../pipeline/deliver-mail.ts";
import type { DeadRequest } from "../pipeline/release-request.ts";
import { releaseRequest } from "../pipeline/release-request.ts";
import type { Hook } from "../model/hook.ts";
import type { EventId, Outcome } from "../model/outcome.ts";
import type { Envelope } from "../model/mail.ts";
import type { StoredDeadLetter } from "../publish/dead-letters.ts";
import { discardDeadLetter } from "../publish/dead-letters.ts";
import { storedIdsSince } from "../publish/find-stored.ts";
import { getObject } from "../publish/objects.ts";
import { EVENT_STREAM } from "../publish/publish-event.ts";
import type { Storage } from "./storage.ts";

export type ReplayResult =
  | { readonly kind: "published"; readonly outcome: Outcome }
  | { readonly kind: "dead-again"; readonly outcome: Outcome }
  | { readonly kind: "not-possible"; readonly why: string };

const REPLAY_MS = 30_000;
/** Dead letters are kept for 30 days (contract §6): no replay of one is older. */
const LETTERS_LIVE_MS = 30 * 24 * 60 * 60 * 1_000;

/**
 * Runs a dead letter's raw mail or body through the same path as a new one. When it became an event, the dead letter is taken
 * away; the event's id is the mail's own, so that a replay that was cut off and done again makes one event.
 */
export async function replayDeadLetter(
  storage: Storage,
  stages: MailStages,
  found: { readonly sequence: number; readonly letter: StoredDeadLetter },
  memory = createReplayMemory(storage),
): Promise<ReplayResult> {
  const { letter, sequence } = found;
  const hook = storage.snapshot.hookByEventName(letter.eventName);
  if (hook === undefined) return { kind: "not-possible", why: `no hook publishes ${letter.eventName} any more` };
  // An earlier replay may have been cut off behind its publish, longer ago than the stream remembers ids.
  if (await memory(letter)) {
    await discardDeadLetter(storage.jsm, sequence);
    return { kind: "published", outcome: { kind: "stored", eventId: letter.id as EventId, duplicate: true } };
  }
  if (letter.http !== undefined && letter.object !== null) return release(storage, stages, found, hook);
  if (letter.mail === undefined || letter.object === null) return { kind: "not-possible", why: "it holds no raw mail" };
  const bytes = await getObject(storage.objects, letter.object);
  if (bytes === undefined) return { kind: "not-possible", why: "its raw mail has expired" };
  const { tag, envelope } = letter.mail;
  let writtenAgain: number | undefined;
  const { outcomes } = await deliverMail(
    {
      envelope: envelope as unknown as Envelope,
      recipients: [{ address: envelope.to[0] ?? "", tag, hook }],
      bytes,
      receivedAt: Date.parse(letter.time),
      // What a relay told us at the time is not kept; anything in the mail itself could be the sender's.
      peer: "stranger",
      transactionId: `replay ${letter.id}`,
    },
    {
      ...stages,
      publishDeadLetter: async (again, signal) => {
        const result = await stages.publishDeadLetter(again, signal);
        writtenAgain = result.sequence;
        return result;
      },
    },
    AbortSignal.timeout(REPLAY_MS),
  );
  const [outcome] = outcomes;
  if (outcome === undefined || combine(outcomes).kind !== "taken")
    return {
      kind: "not-possible",
      why: outcome?.kind === "tryLater" ? `try later: ${outcome.cause}` : "it was refused",
    };
  if (outcome.kind !== "stored") {
    // Past the duplicate window the stream takes the same letter once more: the new one stays, with today's reason.
    if (writtenAgain !== undefined && writtenAgain > sequence) await discardDeadLetter(storage.jsm, sequence);
    return { kind: "dead-again", outcome };
  }
  await discardDeadLetter(storage.jsm, sequence);
  return { kind: "published", outcome };
}

/** Answers whether a letter's event stands in the stream already. */
export type ReplayMemory = (letter: StoredDeadLetter) => Promise<boolean>;

/** One for all letters of a run: each hook's events are looked through once. */
export function createReplayMemory({ js }: Pick<Storage, "js">): ReplayMemory {
  const known = new Map<string, Promise<Set<string>>>();
  return async ({ id, eventName }) => {
    let ids = known.get(eventName);
    if (ids === undefined) {
      const since = new Date(Date.now() - LETTERS_LIVE_MS);
      ids = storedIdsSince(js, { stream: EVENT_STREAM, subject: eventName, since });
      known.set(eventName, ids);
      // What could not be read is asked for again by the next letter.
      ids.catch(() => known.delete(eventName));
    }
    return (await ids).has(id);
  };
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
