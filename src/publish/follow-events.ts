import type { ConsumerMessages, JetStreamClient } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";

import { orderedConsumer } from "../nats/consumers.ts";
import { EVENT_STREAM } from "./publish-event.ts";
import type { StreamEntry } from "./read-stream.ts";

export interface FollowOptions {
  readonly pattern?: string;
  readonly since?: Date;
  /** Go on behind this sequence. */
  readonly after?: number | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Events as they arrive, in order, from now on or from where the options say; ends when the caller stops or `signal` aborts.
 *
 * Resolves when the server has the consumer: nothing that is published after that is missed.
 */
export async function followEvents(js: JetStreamClient, options: FollowOptions): Promise<AsyncGenerator<StreamEntry>> {
  const consumer = await orderedConsumer(js, EVENT_STREAM, {
    ...startOf(options),
    ...(options.pattern !== undefined && { filter_subjects: [options.pattern] }),
  });
  return entriesOf(await consumer.consume(), options.signal);
}

function startOf({ since, after }: FollowOptions) {
  if (after !== undefined) return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 };
  if (since !== undefined) return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() };
  return { deliver_policy: DeliverPolicy.New };
}

async function* entriesOf(messages: ConsumerMessages, signal: AbortSignal | undefined): AsyncGenerator<StreamEntry> {
  const stop = () => messages.stop();
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    for await (const message of messages)
      yield {
        sequence: message.seq,
        subject: message.subject,
        storedAt: message.time.toISOString(),
        text: message.string(),
      };
  } finally {
    signal?.removeEventListener("abort", stop);
    await messages.close();
  }
}
