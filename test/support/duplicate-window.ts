import { jetstream } from "@nats-io/jetstream";
import { expect } from "vitest";

import type { NatsServer } from "./nats-server.ts";

/** Waits until the stream of `subject`, whose duplicate window is of a second in a test, has forgotten what it holds. */
export async function windowPassed(nats: NatsServer, subject: string): Promise<void> {
  const connection = await nats.connect();
  const js = jetstream(connection);
  const probe = () => js.publish(subject, "{}", { msgID: "probe" });
  await probe();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await expect.poll(async () => (await probe()).duplicate, { timeout: 20_000, interval: 1_500 }).toBe(false);
  await connection.close();
}
