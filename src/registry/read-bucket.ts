import type { ConsumerInfo, JetStreamManager, StoredMsg, StreamInfo } from "@nats-io/jetstream";
import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import type { KV, KvEntry } from "@nats-io/kv";
import type { MsgHdrs } from "@nats-io/transport-node";
import { nanos } from "@nats-io/transport-node";

import { within } from "../lib/within.ts";
import { askAgain } from "../nats/ask-again.ts";

/** A bucket that is open: its keys, and the manager that reads its stream. */
export interface OpenBucket {
  readonly kv: KV;
  readonly jsm: JetStreamManager;
}

/** One key as a bucket has it; `value` is undefined for the marker of one that is gone. */
export interface BucketEntry {
  readonly key: string;
  readonly revision: number;
  readonly value: string | undefined;
}

/** Gets that are on their way at once. */
const AT_ONCE = 64;
/** Below, gets are as fast as a consumer; above, six times slower (nats-server 2.10.27). */
const MANY_KEYS = 2_000;
/** How long a consumer is waited for, and then for all that it brings. */
const CONSUMER_MS = 1_500;
const READING_MS = 10_000;
const FETCH_MS = 2_000;
const BATCH = 1_000;

/** What the server says of a bucket's stream now, asked again while nobody answers. Throws what the client throws. */
export function bucketInfo({ jsm }: OpenBucket, name: string): Promise<StreamInfo> {
  return askAgain(() => jsm.streams.info(`KV_${name}`));
}

/**
 * Every key that stands in a bucket, and the stream's state from before they were read: an entry may be newer than that.
 *
 * Needs no consumer: after a server of a cluster was killed, one may not be had for minutes, while gets are answered.
 * Buckets with many keys are read through a consumer all the same where one comes soon. Throws what the client throws.
 */
export async function readBucket(
  bucket: OpenBucket,
  name: string,
): Promise<{
  readonly info: StreamInfo;
  readonly keys: ReadonlySet<string>;
  readonly entries: readonly BucketEntry[];
}> {
  const { jsm } = bucket;
  const stream = `KV_${name}`;
  const { state, ...info } = await askAgain(() => jsm.streams.info(stream, { subjects_filter: ">" }));
  const { subjects = {}, ...known } = state;
  const names = Object.keys(subjects);
  const entries =
    (names.length > MANY_KEYS ? await readByConsumer(bucket, name) : undefined) ??
    (await inParallel(names, async (subject) => {
      const message = await askAgain(() => jsm.streams.getMessage(stream, { last_by_subj: subject }));
      return message === null ? undefined : entryOf(name, message, message.header);
    }));
  const keys = new Set(names.map((subject) => subject.slice(`$KV.${name}.`.length)));
  return { info: { ...info, state: known }, keys, entries };
}

/** What was written behind a revision, up to another one, oldest first; without a consumer. Throws what the client throws. */
export async function* readBehind(
  { jsm }: OpenBucket,
  name: string,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<BucketEntry> {
  for (let sequence = range.from + 1; sequence <= range.to; sequence += 1) {
    // The client's type knows no sequence beside it (3.4.0); the server has taken both since 2.9.
    const next = { seq: sequence, next_by_subj: `$KV.${name}.>` };
    const message = await askAgain(() => jsm.streams.getMessage(`KV_${name}`, next));
    if (message === null) return;
    yield entryOf(name, message, message.header);
    sequence = message.seq;
  }
}

/** As a watch tells it. */
export function ofWatch(entry: KvEntry): BucketEntry {
  const { key, revision, operation } = entry;
  return { key, revision, value: operation === "PUT" ? entry.string() : undefined };
}

type Stored = Pick<StoredMsg, "subject" | "seq" | "string">;

function entryOf(name: string, message: Stored, headers: MsgHdrs | undefined): BucketEntry {
  const isThere = (headers?.get("KV-Operation") ?? "") === "";
  return {
    key: message.subject.slice(`$KV.${name}.`.length),
    revision: message.seq,
    value: isThere ? message.string() : undefined,
  };
}

/** Through a consumer that brings the last entry of each key; undefined when none can be had soon. */
async function readByConsumer({ jsm }: OpenBucket, name: string): Promise<readonly BucketEntry[] | undefined> {
  const stream = `KV_${name}`;
  const config = {
    filter_subject: `$KV.${name}.>`,
    deliver_policy: DeliverPolicy.LastPerSubject,
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(READING_MS),
  };
  try {
    const consumer = await within(jsm.consumers.add(stream, config), CONSUMER_MS);
    return consumer === undefined ? undefined : await within(fetchAll(jsm, name, consumer), READING_MS);
  } catch {
    // What is wrong with more than consumers shows in the gets that come now.
    return undefined;
  }
}

async function fetchAll(
  jsm: JetStreamManager,
  name: string,
  { name: consumerName, num_pending }: ConsumerInfo,
): Promise<BucketEntry[] | undefined> {
  const consumer = await jsm.jetstream().consumers.get(`KV_${name}`, consumerName);
  const entries: BucketEntry[] = [];
  while (entries.length < num_pending) {
    const before = entries.length;
    const messages = await consumer.fetch({ max_messages: Math.min(BATCH, num_pending - before), expires: FETCH_MS });
    for await (const message of messages) entries.push(entryOf(name, message, message.headers));
    // A key that is written meanwhile has its last entry behind those that were counted.
    if (entries.length === before) return undefined;
  }
  await consumer.delete();
  return entries;
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R | undefined>): Promise<R[]> {
  const results: R[] = [];
  const left = items.values();
  const workOff = async () => {
    for (const item of left) {
      const result = await work(item);
      if (result !== undefined) results.push(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, workOff));
  return results;
}
