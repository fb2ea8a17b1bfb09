import type { ConsumerMessages, JetStreamClient } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";

import { EVENT_STREAM } from "./publish-event.ts";
import type { StreamEntry } from "./read-stream.ts";

/**
 * Events as they arrive, in order, from now on or from `since` on; ends when the caller stops or `signal` aborts.
 *
 * Resolves when the server has the consumer: nothing that is published after that is missed.
 */
export async function followEvents(
  js: JetStreamClient,
  options: { readonly pattern?: string; readonly since?: Date; readonly signal?: AbortSignal },
): Promise<AsyncGenerator<StreamEntry>> {
  const start =
    options.since === undefined
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: options.since.toISOString() };
  const consumer = await js.consumers.get(EVENT_STREAM, {
    ...start,
    ...(options.pattern !== undefined && { filter_subjects: [options.pattern] }),
  });
  return entriesOf(await consumer.consume(), options.signal);
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
