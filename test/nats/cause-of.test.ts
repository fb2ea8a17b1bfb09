import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import { DiscardPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { TryLaterCause } from "../../src/model/outcome.ts";
import { causeOf, causeOfPublish } from "../../src/nats/cause-of.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

const USERS = `
authorization { users [
  { user: full, password: full }
  { user: reader, password: reader, permissions { publish { allow: ["$JS.API.>"] } } }
] }`;

let server: NatsServer;
let connection: NatsConnection;
let js: JetStreamClient;
let jsm: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer({ config: `jetstream { store_dir: "$FOLDER", max_file_store: 4MB }${USERS}` });
  connection = await server.connect("full");
  js = jetstream(connection);
  jsm = await jetstreamManager(connection);
});
afterAll(async () => {
  await connection.close();
  await server[Symbol.asyncDispose]();
});

async function causeOnServer(publish: () => Promise<unknown>, manager = jsm): Promise<TryLaterCause> {
  const error = await publish().then(
    () => new Error("the server took it"),
    (thrown: unknown) => thrown,
  );
  return causeOfPublish(error, "EVENTS", manager);
}

describe("what the server answers to a publish", () => {
  beforeEach(async () => {
    for await (const { config } of jsm.streams.list()) await jsm.streams.delete(config.name);
    await jsm.streams.add({ name: "EVENTS", subjects: ["events.>"], max_bytes: 200_000, discard: DiscardPolicy.New });
  });

  test("a stream that reached max_bytes is full", async () => {
    await js.publish("events.a", new Uint8Array(150_000));
    expect(await causeOnServer(() => js.publish("events.a", new Uint8Array(150_000)))).toBe("stream-full");
  });

  test("a server that reached max_file_store is full, though the stream is not", async () => {
    await jsm.streams.add({ name: "OTHER", subjects: ["other"] });
    const fill = async () => {
      for (let round = 0; round < 8; round += 1) await js.publish("other", new Uint8Array(900_000));
    };
    expect(await causeOnServer(fill)).toBe("stream-full");
  });

  test("another stream on the subject is a wrong setting", async () => {
    const publish = () => js.publish("events.a", "x", { expect: { streamName: "ELSE" } });
    expect(await causeOnServer(publish)).toBe("setting-wrong");
  });

  test("a stream that takes only smaller messages is a wrong setting", async () => {
    await jsm.streams.update("EVENTS", { max_msg_size: 10 });
    expect(await causeOnServer(() => js.publish("events.a", new Uint8Array(100)))).toBe("setting-wrong");
  });

  test("a stream that is gone is a wrong setting", async () => {
    await jsm.streams.delete("EVENTS");
    expect(await causeOnServer(() => js.publish("events.a", "x"))).toBe("setting-wrong");
  });

  test("a stream that has lost our subject is a wrong setting", async () => {
    expect(await causeOnServer(() => js.publish("orders.created", "x"))).toBe("setting-wrong");
  });

  test("a publish that we may not do is a wrong setting", async () => {
    await using reader = await server.connect("reader");
    expect(await causeOnServer(() => jetstream(reader).publish("events.a", "x"))).toBe("setting-wrong");
  });

  test("a server that is stopped gives no ack", async () => {
    server.pause();
    try {
      expect(await causeOnServer(() => js.publish("events.a", "x", { timeout: 100 }))).toBe("no-ack");
    } finally {
      server.resume();
    }
  });

  test("a message over max_payload, which the client refuses, is our fault", async () => {
    expect(await causeOnServer(() => js.publish("events.a", new Uint8Array(2_000_000)))).toBe("our-fault");
  });
});

test("a closed connection means that NATS is away", async () => {
  const closed = await server.connect("full");
  const client = jetstream(closed);
  await closed.close();
  expect(await causeOnServer(() => client.publish("events.a", "x"))).toBe("nats-away");
});

test("a server whose JetStream is off gives no answer, and neither does its API: NATS is away", async () => {
  await using plain = await startNatsServer({ config: "" });
  await using client = await plain.connect();
  const manager = await jetstreamManager(client, { checkAPI: false });
  expect(await causeOnServer(() => jetstream(client).publish("events.a", "x"), manager)).toBe("nats-away");
});

test("an account without JetStream is a wrong setting", async () => {
  const config = `jetstream { store_dir: "$FOLDER" }
    accounts { A { jetstream: enabled, users [{ user: a, password: a }] }, B { users [{ user: b, password: b }] } }`;
  await using accounts = await startNatsServer({ config });
  await using client = await accounts.connect("b");
  const manager = await jetstreamManager(client, { checkAPI: false });
  expect(await causeOnServer(() => jetstream(client).publish("events.a", "x"), manager)).toBe("setting-wrong");
});

test("what nobody knows is our fault", () => {
  expect(causeOf(new TypeError("x is not a function"))).toBe("our-fault");
  expect(causeOf("a string")).toBe("our-fault");
  expect(causeOf(undefined)).toBe("our-fault");
});
