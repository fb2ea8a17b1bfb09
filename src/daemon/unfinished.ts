import { askAgain } from "../nats/ask-again.ts";
import { causeOfPublish } from "../nats/cause-of.ts";
import { BUCKETS, STREAMS } from "../nats/stream-names.ts";
import { findStored } from "../publish/find-stored.ts";
import { UnfinishedOutcomes } from "../publish/unfinished.ts";
import { LiveBucket } from "../registry/live-bucket.ts";
import type { Log } from "../telemetry/log.ts";
import type { Storage } from "./storage.ts";
import { bucketOpener } from "./storage.ts";

const LAST_WRITES_MS = 1_000;

/** The memory of ids whose sender was told to come again, shared by all replicas (contract §5), loaded and watched. */
export async function openUnfinished(
  storage: Storage,
  log: Log,
): Promise<AsyncDisposable & { readonly outcomes: UnfinishedOutcomes }> {
  const { js, jsm, nats } = storage;
  const lastSequence = async (stream: string) => (await askAgain(() => jsm.streams.info(stream))).state.last_seq;
  const outcomes = new UnfinishedOutcomes({
    write: async (messageId, record) => void (await bucket.kv.put(messageId, record)),
    lastSequence,
    find: (wish) => findStored(js, wish),
    causeOf: (error, stream) => causeOfPublish(error, stream, jsm),
    isConnected: () => nats.isConnected(),
    onTrouble: (sentence, error) => log.warn(sentence, { error }),
  });
  const bucket = new LiveBucket({
    name: BUCKETS.unfinished,
    open: bucketOpener(storage, "unfinished"),
    onChange: (messageId, record) => outcomes.take(messageId, record),
    // What was known stays known: each record is true for good, and the bucket's own age limit ends it.
    onReset: () => undefined,
    log,
  });
  const streams = [STREAMS.events, STREAMS.deadLetters];
  const [, ...sequences] = await Promise.all([bucket.start(), ...streams.map(lastSequence)]);
  for (const [index, stream] of streams.entries()) outcomes.startAt(stream, sequences[index] ?? 0);
  return {
    outcomes,
    [Symbol.asyncDispose]: async () => {
      await outcomes.close(LAST_WRITES_MS);
      await bucket.close();
    },
  };
}
