import type {
  Consumer,
  ConsumerConfig,
  ConsumerInfo,
  JetStreamClient,
  JetStreamManager,
  OrderedConsumerOptions,
} from "@nats-io/jetstream";

import { askAgain } from "./ask-again.ts";

/** A short-lived consumer of a stream, wherever the cluster can place one. Throws what the client throws. */
export function addConsumer(
  jsm: JetStreamManager,
  stream: string,
  config: Omit<Partial<ConsumerConfig>, "name" | "durable_name">,
): Promise<ConsumerInfo> {
  return askAgain(
    () => jsm.consumers.add(stream, { ...config }),
    // The server forgets it by itself when this is lost.
    ({ name }) => jsm.consumers.delete(stream, name).catch(() => undefined),
  );
}

/** An ordered consumer of a stream, wherever the cluster can place one. Throws what the client throws. */
export function orderedConsumer(
  js: JetStreamClient,
  stream: string,
  options: Partial<OrderedConsumerOptions>,
): Promise<Consumer> {
  return askAgain(
    // The client writes the consumer's name into the options that it is given (3.4.0): under a name that was placed on a dead
    // server nothing can be placed elsewhere.
    () => js.consumers.get(stream, { ...options }),
    (late) => late.delete().catch(() => undefined),
  );
}
