import type { JetStreamClient } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";
import { headers as natsHeaders } from "@nats-io/transport-node";

import type { RefusedCall, RefusedSum } from "../model/refused-call.ts";
import { orderedConsumer } from "../nats/consumers.ts";
import type { AckInbox } from "./ack-inbox.ts";

const REFUSED_STREAM = "POSTHORN_REFUSED";
const NEVER = new AbortController().signal;

/** One entry of the trace: a call, or the sum of those that were too many to write one by one. */
export type RefusedEntry = RefusedCall | RefusedSum;

/** Stores one entry; resolves when the stream has acknowledged it, throws what the client throws. */
export async function storeRefusedCall(
  inbox: AckInbox,
  { subject, bytes, id }: { readonly subject: string; readonly bytes: Uint8Array; readonly id: string },
): Promise<void> {
  const headers = natsHeaders();
  headers.set("Nats-Msg-Id", id);
  headers.set("Nats-Expected-Stream", REFUSED_STREAM);
  await inbox.publish(subject, bytes, headers, NEVER);
}

export function isSum(entry: RefusedEntry): entry is RefusedSum {
  return "count" in entry;
}

/**
 * Refused calls, oldest first, from `since` on; goes on as they come when `follow` is set, and ends when the caller stops.
 *
 * Without `follow` it ends at what stands in the stream now.
 */
export async function* readRefusedCalls(
  js: JetStreamClient,
  options: { readonly since: Date; readonly follow: boolean },
): AsyncGenerator<RefusedEntry> {
  const consumer = await orderedConsumer(js, REFUSED_STREAM, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: options.since.toISOString(),
  });
  if (!options.follow && (await consumer.info()).num_pending === 0) return;
  const messages = await consumer.consume();
  try {
    for await (const message of messages) {
      yield JSON.parse(message.string()) as RefusedEntry;
      if (!options.follow && message.info.pending === 0) return;
    }
  } finally {
    await messages.close();
  }
}
