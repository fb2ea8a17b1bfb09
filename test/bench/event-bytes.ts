import { jetstreamManager } from "@nats-io/jetstream";

import type { NatsServer } from "../support/nats-server.ts";

/** How long the first event of the stream is, for publishing alone at the same size. There has to be one. */
export async function bytesOfAnEvent(nats: NatsServer): Promise<number> {
  const client = await nats.connect();
  const stored = await (await jetstreamManager(client)).streams.getMessage("POSTHORN_EVENTS", { seq: 1 });
  await client.close();
  if (stored === null) throw new Error("no event is stored yet");
  return stored.data.length;
}
