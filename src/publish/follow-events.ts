import type { JetStreamClient } from "@nats-io/jetstream";
import { DeliverPolicy } from "@nats-io/jetstream";

import { EVENT_STREAM } from "./publish-event.ts";

/** Events as they arrive, in order, from now on or from `since` on; ends only when the caller stops. */
export async function* followEvents(
  js: JetStreamClient,
  options: { readonly pattern?: string; readonly since?: Date },
): AsyncGenerator<{ subject: string; text: string }> {
  const start =
    options.since === undefined
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: options.since.toISOString() };
  const consumer = await js.consumers.get(EVENT_STREAM, {
    ...start,
    ...(options.pattern !== undefined && { filter_subjects: [options.pattern] }),
  });
  const messages = await consumer.consume();
  try {
    for await (const message of messages) yield { subject: message.subject, text: message.string() };
  } finally {
    await messages.close();
  }
}
