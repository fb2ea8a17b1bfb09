import type { JetStreamClient, JetStreamManager, JsMsg } from "@nats-io/jetstream";
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";

import { addConsumer } from "../nats/consumers.ts";

/** A message as it stands in a stream. */
export interface StreamEntry {
  readonly sequence: number;
  readonly subject: string;
  /** RFC 3339: when the server stored it. */
  readonly storedAt: string;
  readonly text: string;
}

export interface BackwardsWish {
  readonly stream: string;
  /** Only entries before this sequence; undefined for the newest. */
  readonly before: number | undefined;
  readonly limit: number;
  /** Subjects to look at, wildcards allowed; undefined for all. */
  readonly subjects?: readonly string[] | undefined;
  /** Looks into the text; without it every entry of those subjects counts. */
  readonly accepts?: ((entry: StreamEntry) => boolean) | undefined;
  /** How long to look, in milliseconds; what was found by then is given back. */
  readonly patienceMs: number;
}

export interface BackwardsPage {
  /** Newest first, at most `limit`. */
  readonly entries: readonly StreamEntry[];
  /** Go on from here; null when the stream's first entry has been looked at. */
  readonly next: number | null;
  /** Entries that were looked into. */
  readonly lookedAt: number;
}

/** What a consumer that nobody asks any more lives on. */
const CONSUMER_IDLE_MS = 5_000;
const FETCH_MS = 5_000;
/** Who reads a whole stream may do something with each batch before asking for the next. */
const SLOW_READER_MS = 10 * 60_000;
/** Most entries that one window may hold; their bytes are in memory at once. */
const WINDOW_ENTRIES = 500;

/**
 * The newest entries of a stream before a place, newest first: pages of a list that goes back in time.
 *
 * JetStream reads forwards only. So a window is opened before the place and read to its end, a wider one before it when
 * too little was in it. How many entries a window holds is known from consumers' pending counts before any is read.
 * Works on nats-server 2.10, which has no batched direct get.
 */
export async function readBackwards(
  { js, jsm }: { readonly js: JetStreamClient; readonly jsm: JetStreamManager },
  wish: BackwardsWish,
): Promise<BackwardsPage> {
  const { state } = await jsm.streams.info(wish.stream);
  const deadline = performance.now() + wish.patienceMs;
  const found: StreamEntry[] = [];
  let end = Math.min(wish.before ?? Infinity, state.last_seq + 1);
  let pendingAtEnd = end > state.last_seq ? 0 : (await openAt(jsm, wish, end)).pending;
  let span = wish.limit;
  if (wish.subjects !== undefined && state.messages > 0) {
    const matching = (await openAt(jsm, wish, state.first_seq)).pending - pendingAtEnd;
    if (matching <= 0) return { entries: [], next: null, lookedAt: 0 };
    // As wide as it has to be if they stood evenly; at least the page, in case they do not.
    span = Math.ceil(Math.max(wish.limit, (wish.limit * (end - state.first_seq)) / matching));
  }
  let lookedAt = 0;
  while (end > state.first_seq && found.length < wish.limit && state.messages > 0) {
    if (lookedAt > 0 && performance.now() > deadline) return { entries: found, next: end, lookedAt };
    const from = Math.max(state.first_seq, end - span);
    const { name, pending } = await openAt(jsm, wish, from);
    const count = Math.max(0, pending - pendingAtEnd);
    if (count > WINDOW_ENTRIES && span > 1) {
      span = Math.max(1, Math.min(Math.floor(span / 2), Math.floor((span * WINDOW_ENTRIES) / count)));
      continue;
    }
    const entries = count === 0 ? [] : await fetchUpTo(js, wish.stream, name, count);
    lookedAt += count;
    for (const entry of entries.toReversed()) {
      if (entry.sequence >= end || wish.accepts?.(entry) === false) continue;
      found.push(entry);
      // The rest of this window belongs to the next page.
      if (found.length === wish.limit)
        return { entries: found, next: entry.sequence > state.first_seq ? entry.sequence : null, lookedAt };
    }
    end = from;
    pendingAtEnd = pending;
    span *= count < WINDOW_ENTRIES / 4 ? 4 : 1;
  }
  return { entries: found, next: null, lookedAt };
}

/**
 * Every entry that stands in a stream now, of one subject and behind a sequence where they are named, oldest first, a batch
 * in memory at a time.
 */
export async function* readForwards(
  jsm: JetStreamManager,
  stream: string,
  { subject, after }: { readonly subject?: string | undefined; readonly after?: number } = {},
): AsyncGenerator<StreamEntry> {
  const { name, num_pending } = await addConsumer(jsm, stream, {
    ...EPHEMERAL,
    inactive_threshold: nanos(SLOW_READER_MS),
    ...(after === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 }),
    ...(subject !== undefined && { filter_subjects: [subject] }),
  });
  const consumer = await jsm.jetstream().consumers.get(stream, name);
  for (let left = num_pending; left > 0;) {
    const before = left;
    const messages = await consumer.fetch({ max_messages: Math.min(left, WINDOW_ENTRIES), expires: FETCH_MS });
    for await (const message of messages) {
      left -= 1;
      yield entryOf(message);
    }
    // Entries may go while they are read: those that are left are fewer than were counted.
    if (left === before) return;
  }
  await consumer.delete();
}

const entryOf = (message: JsMsg): StreamEntry => ({
  sequence: message.seq,
  subject: message.subject,
  storedAt: message.time.toISOString(),
  text: message.string(),
});

/** How many entries of these subjects stand in the stream from each moment on, in the order of `since`. */
export async function countsSince(
  jsm: JetStreamManager,
  stream: string,
  subjects: readonly string[],
  since: readonly Date[],
): Promise<number[]> {
  return Promise.all(
    since.map(async (moment) => {
      const { num_pending } = await addConsumer(jsm, stream, {
        ...EPHEMERAL,
        filter_subjects: [...subjects],
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: moment.toISOString(),
      });
      return num_pending;
    }),
  );
}

/** One entry by its sequence; undefined when it is gone. */
export async function readEntry(
  jsm: JetStreamManager,
  stream: string,
  sequence: number,
): Promise<StreamEntry | undefined> {
  const message = await jsm.streams.getMessage(stream, { seq: sequence });
  if (message === null) return undefined;
  return {
    sequence: message.seq,
    subject: message.subject,
    storedAt: message.time.toISOString(),
    text: message.string(),
  };
}

/** The sequence of the first entry stored at or after a moment; undefined when there is none. */
export async function sequenceAt(jsm: JetStreamManager, stream: string, moment: Date): Promise<number | undefined> {
  const { num_pending } = await addConsumer(jsm, stream, {
    ...EPHEMERAL,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: moment.toISOString(),
  });
  if (num_pending === 0) return undefined;
  const { state } = await jsm.streams.info(stream);
  return Math.max(state.first_seq, state.last_seq - num_pending + 1);
}

const EPHEMERAL = {
  ack_policy: AckPolicy.None,
  mem_storage: true,
  num_replicas: 1,
  inactive_threshold: nanos(CONSUMER_IDLE_MS),
} as const;

async function openAt(
  jsm: JetStreamManager,
  { stream, subjects }: BackwardsWish,
  sequence: number,
): Promise<{ readonly name: string; readonly pending: number }> {
  const { name, num_pending } = await addConsumer(jsm, stream, {
    ...EPHEMERAL,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(1, sequence),
    ...(subjects !== undefined && { filter_subjects: [...subjects] }),
  });
  return { name, pending: num_pending };
}

async function fetchUpTo(js: JetStreamClient, stream: string, name: string, count: number): Promise<StreamEntry[]> {
  const consumer = await js.consumers.get(stream, name);
  const messages = await consumer.fetch({ max_messages: count, expires: FETCH_MS });
  const entries: StreamEntry[] = [];
  for await (const message of messages) {
    entries.push(entryOf(message));
    if (entries.length === count) break;
  }
  await consumer.delete();
  return entries;
}
