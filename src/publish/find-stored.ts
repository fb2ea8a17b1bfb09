import type { JetStreamClient } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";

import { orderedConsumer } from "../nats/consumers.ts";

const MESSAGE_ID = "Nats-Msg-Id";

export interface StoredWish {
  readonly stream: string;
  readonly subject: string;
  readonly messageId: string;
  /** It stands behind this sequence, if anywhere. */
  readonly from: number;
  /** And not behind this one. */
  readonly to: number;
}

/**
 * Where a message with this id stands in the stream, `undefined` when it is not there.
 *
 * For ids that the stream's duplicate window has forgotten. Reads headers only, of one subject, between two sequences.
 * Throws what the client throws: then nobody knows.
 */
export async function findStored(js: JetStreamClient, wish: StoredWish): Promise<number | undefined> {
  const consumer = await orderedConsumer(js, wish.stream, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: wish.from + 1,
    filter_subjects: [wish.subject],
    headers_only: true,
  });
  if ((await consumer.info()).num_pending === 0) return undefined;
  const messages = await consumer.consume();
  try {
    for await (const message of messages) {
      if (message.seq > wish.to) return undefined;
      if (message.headers?.get(MESSAGE_ID) === wish.messageId) return message.seq;
      if (message.info.pending === 0) return undefined;
    }
    return undefined;
  } finally {
    await messages.close();
  }
}

/** The ids of everything that stands in the stream on one subject since a moment; headers only. Throws what the client throws. */
export async function storedIdsSince(
  js: JetStreamClient,
  wish: { readonly stream: string; readonly subject: string; readonly since: Date },
): Promise<Set<string>> {
  const consumer = await orderedConsumer(js, wish.stream, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: wish.since.toISOString(),
    filter_subjects: [wish.subject],
    headers_only: true,
  });
  const ids = new Set<string>();
  if ((await consumer.info()).num_pending === 0) return ids;
  const messages = await consumer.consume();
  try {
    for await (const message of messages) {
      const id = message.headers?.get(MESSAGE_ID);
      if (id !== undefined) ids.add(id);
      if (message.info.pending === 0) break;
    }
  } finally {
    await messages.close();
  }
  return ids;
}
