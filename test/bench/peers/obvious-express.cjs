// obvious-fastify.ts with Express, whose package is fetched for the run.
"use strict";

const { randomUUID } = require("node:crypto");
const { createRequire } = require("node:module");

const fetched = createRequire(`${process.argv[3]}/`);
const checkout = createRequire(`${process.cwd()}/`);
const express = fetched("express");
const { jetstream } = checkout("@nats-io/jetstream");
const { connect } = checkout("@nats-io/transport-node");
const { WEB_EVENT_NAME, webEventOf } = checkout("./test/bench/peers/obvious-web-event.ts");

async function main() {
  process.env.NODE_ENV = "production";
  const js = jetstream(await connect({ servers: process.argv[2], noAsyncTraces: true }));
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(express.json());
  app.post("/hook", async (request, response) => {
    const id = randomUUID();
    const ack = await js.publish(WEB_EVENT_NAME, webEventOf(id, request.body), {
      msgID: id,
      expect: { streamName: "POSTHORN_EVENTS" },
    });
    response.status(202).json({ id, duplicate: ack.duplicate });
  });
  const server = app.listen(0, "127.0.0.1", () => {
    process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
  });
}

main().catch((error) => {
  throw error;
});
