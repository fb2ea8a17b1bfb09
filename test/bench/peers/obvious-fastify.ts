import { randomUUID } from "node:crypto";

import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import fastify from "fastify";

import { WEB_EVENT_NAME, webEventOf } from "./obvious-web-event.ts";

// Parse, wrap, publish, 202 after JetStream's ack: no key, no limits of its own, no log.
const nats = await connect({ servers: process.argv[2] ?? "", noAsyncTraces: true });
const js = jetstream(nats);
const app = fastify();
app.post("/hook", async (request, reply) => {
  const id = randomUUID();
  const ack = await js.publish(WEB_EVENT_NAME, webEventOf(id, request.body), {
    msgID: id,
    expect: { streamName: "POSTHORN_EVENTS" },
  });
  return reply.code(202).send({ id, duplicate: ack.duplicate });
});
const address = await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ port: Number(new URL(address).port) })}\n`);
