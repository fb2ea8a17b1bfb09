import type { Actor, DeadLetterServices, Entry, ReplayAnswer } from "../admin/services.ts";
import { STREAMS } from "../nats/stream-names.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import type { StoredDeadLetter } from "../publish/dead-letters.ts";
import { Discards } from "../publish/discards.ts";
import { readBackwards, readEntry, readForwards } from "../publish/read-stream.ts";
import { pageOf } from "./admin-events.ts";
import type { NoteChange } from "./admin-hooks.ts";
import type { ReplayMemory } from "./replay.ts";
import { createReplayMemory, replayDeadLetter } from "./replay.ts";
import type { Storage } from "./storage.ts";

/** Counting is for orientation: what cannot be counted in this time is left out, and the page says so. */
const COUNT_MS = 400;
const MOST_COUNTED = 20_000;
const COUNT_STEP = 500;
const KEPT_MS = 60_000;

/** Dead letters, as the admin page sees them and acts on them. */
export function adminDeadLetters(storage: Storage, stages: MailStages, noteChange: NoteChange): DeadLetterServices {
  const { jsm } = storage;
  const discardsOf = keptShortly(() => new Discards(storage));
  const find = (sequence: number) => readEntry(jsm, STREAMS.deadLetters, sequence);
  return {
    deadLetters: (wish) => pageOf(storage, STREAMS.deadLetters, wish),
    deadLetter: find,
    deadLetterCounts: () => countByReason(storage),
    allDeadLetters: (reason) => ofReason(storage, reason),
    startReplay: () => {
      const memory = createReplayMemory(storage);
      return async (sequence, by) => {
        const entry = await find(sequence);
        if (entry === undefined) return { kind: "not-possible", why: "it is gone already" };
        const letter = JSON.parse(entry.text) as StoredDeadLetter;
        const answer = await replay(storage, stages, { sequence, letter }, memory);
        await noteChange(by, "dead-letter.replay", letter.id, answer.why ?? answer.kind);
        return answer;
      };
    },
    discardDeadLetter: (sequence, by) => discard(storage, discardsOf(), noteChange, sequence, by),
  };
}

async function replay(
  storage: Storage,
  stages: MailStages,
  found: { readonly sequence: number; readonly letter: StoredDeadLetter },
  memory: ReplayMemory,
): Promise<ReplayAnswer> {
  const result = await replayDeadLetter(storage, stages, found, memory);
  switch (result.kind) {
    case "published":
      return { kind: "published" };
    case "not-possible":
      return { kind: "not-possible", why: result.why };
    case "dead-again":
      return {
        kind: "dead-again",
        why: result.outcome.kind === "deadLettered" ? result.outcome.reason.detail : result.outcome.kind,
      };
  }
}

/** The same for a run of calls, a new one after a pause: it holds something for every dead letter. */
function keptShortly<T extends object>(make: () => T): () => T {
  let kept: { readonly value: T; usedAt: number } | undefined;
  return () => {
    const now = performance.now();
    if (kept === undefined || now - kept.usedAt > KEPT_MS) kept = { value: make(), usedAt: now };
    kept.usedAt = now;
    return kept.value;
  };
}

async function discard(
  storage: Storage,
  discards: Discards,
  noteChange: NoteChange,
  sequence: number,
  by: Actor,
): Promise<boolean> {
  const entry = await readEntry(storage.jsm, STREAMS.deadLetters, sequence);
  if (entry === undefined) return false;
  const letter = JSON.parse(entry.text) as StoredDeadLetter;
  await discards.discard({ sequence, letter });
  await noteChange(by, "dead-letter.discard", letter.id, letter.reason.code);
  return true;
}

async function countByReason(storage: Storage): Promise<{ byReason: Map<string, number>; isComplete: boolean }> {
  const byReason = new Map<string, number>();
  const deadline = performance.now() + COUNT_MS;
  let before: number | undefined;
  for (let counted = 0; counted < MOST_COUNTED && performance.now() < deadline; counted += COUNT_STEP) {
    const page = await readBackwards(storage, {
      stream: STREAMS.deadLetters,
      before,
      limit: COUNT_STEP,
      patienceMs: COUNT_MS,
    });
    for (const { text } of page.entries) {
      const code = reasonOf(text);
      byReason.set(code, (byReason.get(code) ?? 0) + 1);
    }
    if (page.next === null) return { byReason, isComplete: true };
    before = page.next;
  }
  return { byReason, isComplete: false };
}

async function* ofReason({ jsm }: Storage, reason: string | undefined): AsyncGenerator<Entry> {
  for await (const entry of readForwards(jsm, STREAMS.deadLetters))
    if (reason === undefined || reasonOf(entry.text) === reason) yield entry;
}

/** Without reading the whole letter: we wrote it, and the reason stands before anything of a sender's. */
const reasonOf = (text: string): string => /"reason":\{"code":"([a-z-]+)"/.exec(text)?.[1] ?? "unknown";
