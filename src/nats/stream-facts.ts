import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { AckPolicy, DeliverPolicy, DiscardPolicy } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { nanos } from "@nats-io/transport-node";

import { within } from "../lib/within.ts";
import { askAgain } from "./ask-again.ts";
import { addConsumer } from "./consumers.ts";
import { ownServerOf } from "./own-server.ts";

const HOUR_MS = 3_600_000;
const NANOS_PER_MS = 1_000_000;
/** A consumer that only counts is forgotten by the server after this, should we not get to delete it. */
const FORGOTTEN_AFTER_MS = 10_000;

/** Making a consumer is work for a whole cluster. */
const COUNTS_KEPT_MS = 30_000;
/** A cluster that has lost a server may not be able to place a consumer; the counts are only nice to know. */
const COUNTING_MS = 4_000;

interface Counts {
  readonly at: number;
  readonly lastHour: number;
  readonly inWindow: number;
}

const countsOf = new WeakMap<JetStreamManager, Map<string, Counts>>();

/** What is known of one stream: its size, its bounds and its rate. Bytes are bytes, times milliseconds. */
export interface StreamFacts {
  readonly stream: string;
  readonly messages: number;
  readonly bytes: number;
  /** What it may take at most, and who says so; undefined when only the server's disk does. */
  readonly limitBytes: number | undefined;
  readonly limitName: string;
  readonly maxAgeMs: number | undefined;
  /** A full stream drops its oldest instead of refusing. */
  readonly discardsOld: boolean;
  /** Messages of the last hour; undefined when the server could not count them in time. */
  readonly lastHour: number | undefined;
  readonly windowMs: number;
  /** Messages within the deduplication window; undefined likewise. */
  readonly inWindow: number | undefined;
}

/** Looks at one stream, its account and its recent past. Throws what the client throws. */
export async function streamFacts(
  jsm: JetStreamManager,
  connection: NatsConnection,
  { config, state }: StreamInfo,
): Promise<StreamFacts> {
  const windowMs = config.duplicate_window / NANOS_PER_MS;
  const [counts, { limits, storage }] = await Promise.all([
    state.messages === 0
      ? { lastHour: 0, inWindow: 0 }
      : within(recentCounts(jsm, config.name, windowMs), COUNTING_MS).catch(() => undefined),
    askAgain(() => jsm.getAccountInfo()),
  ]);
  // What others in the account or on our own server hold is no room for this stream; every copy counts.
  const copies = config.num_replicas;
  const others = storage - state.bytes * copies;
  const roomIn = (bytes: number) => Math.max(1, (bytes - others) / copies);
  const bounds: { readonly limitName: string; readonly limitBytes: number }[] = [];
  if (config.max_bytes > 0) bounds.push({ limitName: "its max_bytes", limitBytes: config.max_bytes });
  if (limits.max_storage > 0)
    bounds.push({ limitName: "what the account has for it", limitBytes: roomIn(limits.max_storage) });
  const own = ownServerOf(connection);
  if (own !== undefined)
    bounds.push({ limitName: "the store of our own server", limitBytes: roomIn(own.maxStoreBytes) });
  const least = bounds.toSorted((a, b) => a.limitBytes - b.limitBytes)[0];
  return {
    stream: config.name,
    messages: state.messages,
    bytes: state.bytes,
    limitBytes: least?.limitBytes,
    limitName: least?.limitName ?? "",
    maxAgeMs: config.max_age > 0 ? config.max_age / NANOS_PER_MS : undefined,
    discardsOld: config.discard === DiscardPolicy.Old,
    lastHour: counts?.lastHour,
    windowMs,
    inWindow: counts?.inWindow,
  };
}

/** Half a minute old at most. */
async function recentCounts(jsm: JetStreamManager, stream: string, windowMs: number): Promise<Counts> {
  const known = countsOf.get(jsm) ?? new Map<string, Counts>();
  countsOf.set(jsm, known);
  const at = Date.now();
  const before = known.get(stream);
  if (before !== undefined && at - before.at < COUNTS_KEPT_MS) return before;
  const [lastHour, inWindow] = await Promise.all([
    storedSince(jsm, stream, at - HOUR_MS),
    storedSince(jsm, stream, at - windowMs),
  ]);
  const counts = { at, lastHour, inWindow };
  known.set(stream, counts);
  return counts;
}

/** How many messages a stream has taken since a point in time; asked through a short-lived consumer, none is sent. */
async function storedSince(jsm: JetStreamManager, stream: string, since: number): Promise<number> {
  const { name, num_pending } = await addConsumer(jsm, stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(since).toISOString(),
    inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  await jsm.consumers.delete(stream, name);
  return num_pending;
}
