import type { JetStreamClient } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";

import { EVENT_STREAM } from "./publish-event.ts";
import type { StreamEntry } from "./read-stream.ts";

/** Events as they arrive, in order, from now on or from `since` on; ends when the caller stops or `signal` aborts. */
export async function* followEvents(
  js: JetStreamClient,
  options: { readonly pattern?: string; readonly since?: Date; readonly signal?: AbortSignal },
): AsyncGenerator<StreamEntry> {
  const start =
    options.since === undefined
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: options.since.toISOString() };
  const consumer = await js.consumers.get(EVENT_STREAM, {
    ...start,
    ...(options.pattern !== undefined && { filter_subjects: [options.pattern] }),
  });
  const messages = await consumer.consume();
  const stop = () => messages.stop();
  options.signal?.addEventListener("abort", stop, { once: true });
  if (options.signal?.aborted === true) stop();
  try {
    for await (const message of messages)
      yield {
        sequence: message.seq,
        subject: message.subject,
        storedAt: message.time.toISOString(),
        text: message.string(),
      };
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await messages.close();
  }
}
