import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

// Processes are started and waited for, beside everything else that a busy machine does.
vi.setConfig({ testTimeout: 120_000 });

// The promise's own proof (contract §1): while the ack is held back, no 250 may arrive.

const DATA = (number: number) =>
  `From: shop@example.org\r\nContent-Type: application/json\r\n\r\n{"order":${number}}\r\n`;
const WORDS = (number: number) => `From: shop@example.org\r\n\r\nJust ${number} words.\r\n`;

let nats: NatsServer;
let proxy: TcpProxy;
let posthorn: TestDaemon;
let address: string;
/** A client beside the proxy. */
let beside: NatsConnection;
beforeAll(async () => {
  nats = await startNatsServer();
  proxy = await startTcpProxy(nats.port);
  posthorn = await startTestDaemon(nats, { POSTHORN_NATS_URL: proxy.url });
  beside = await nats.connect();
  ({ address } = await posthorn.emailHook());
});
afterEach(() => proxy.releaseReplies());
afterAll(async () => {
  await beside.close();
  await posthorn[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const storedEvents = async () =>
  (await (await jetstreamManager(beside)).streams.info("POSTHORN_EVENTS")).state.messages;

/** Long enough for a reply that does not wait for the ack: as many whole conversations with the daemon beside it. */
async function conversations(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    using other = await posthorn.connectRelay();
    expect(await other.say("NOOP")).toMatch(/^250 /);
  }
}

for (const door of ["smtp", "lmtp"] as const) {
  test(`${door}: no 250 for an event whose ack is held back, and one event when it comes`, async () => {
    const number = door === "smtp" ? 1 : 2;
    using relay = await posthorn.connectRelay(door);
    proxy.holdReplies();
    let heard: string | undefined;
    const reply = relay.send({ to: address, mail: DATA(number) }).then((text) => (heard = text));
    // It is stored, and only the daemon does not know.
    await expect.poll(storedEvents).toBe(number);
    await conversations(20);
    expect(heard).toBeUndefined();
    proxy.releaseReplies();
    expect(await reply).toMatch(/^250 2\.0\.0 /);
    expect(await storedEvents()).toBe(number);
  });

  test(`${door}: no 250 for a dead letter while the answers of storage are held back`, async () => {
    using relay = await posthorn.connectRelay(door);
    proxy.holdReplies();
    let heard: string | undefined;
    const reply = relay
      .send({ to: address, mail: WORDS(door.length + door.charCodeAt(0)) })
      .then((text) => (heard = text));
    await expect.poll(() => proxy.heldBytes).toBeGreaterThan(0);
    await conversations(20);
    expect(heard).toBeUndefined();
    proxy.releaseReplies();
    expect(await reply).toMatch(/^250 2\.0\.0 /);
    const letters = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
    expect(letters.map(({ headers }) => headers["Nats-Msg-Id"])).toContain(heard?.slice(-26));
  });
}

test("an ack that is lost with its connection is asked for again: one event, and 250 only then", async () => {
  using relay = await posthorn.connectRelay();
  const before = await storedEvents();
  proxy.holdReplies();
  const reply = relay.send({ to: address, mail: DATA(3) });
  await expect.poll(storedEvents).toBe(before + 1);
  proxy.cut();
  expect(await reply).toMatch(/^250 2\.0\.0 /);
  expect(await storedEvents()).toBe(before + 1);
});
