import { once } from "node:events";

import { DiscardPolicy, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { windowPassed } from "../support/duplicate-window.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

// Processes are started and waited for, beside everything else that a busy machine does.
vi.setConfig({ testTimeout: 120_000 });

// Contract §5: a retry that comes after the stream has forgotten its ids never doubles what was stored. The window is of
// a second here, and of 24 hours for everybody else.

const EVENTS = "POSTHORN_EVENTS";
const order = (number: number) =>
  `From: shop@example.org\r\nContent-Type: application/json\r\n\r\n{"order":${number}}\r\n`;

let nats: NatsServer;
let proxy: TcpProxy;
let first: TestDaemon;
/** Another replica on the same NATS, not behind the proxy. */
let second: TestDaemon;
/** A client beside the proxy. */
let beside: NatsConnection;
let a: string;
let b: string;

beforeAll(async () => {
  nats = await startNatsServer();
  proxy = await startTcpProxy(nats.port);
  const window = { POSTHORN_DEDUPE_WINDOW: "1s" };
  first = await startTestDaemon(nats, { ...window, POSTHORN_NATS_URL: proxy.url }, { deliverMs: 2_000 });
  second = await startTestDaemon(nats, window);
  beside = await nats.connect();
  const hooks = await first.install([
    { eventName: "kustomer.app.shop.a", type: "email" },
    { eventName: "kustomer.app.shop.b", type: "email" },
  ]);
  [a, b] = hooks.map(({ hookId }) => `${hookId}@localhost`) as [string, string];
  await vi.waitFor(() => expect(second.daemon.storage.snapshot.hooks()).toHaveLength(2), { timeout: 20_000 });
});
afterAll(async () => {
  await beside.close();
  for (const daemon of [first, second]) await daemon[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const storedOn = async (name: string) =>
  (await storedIn(second, EVENTS)).filter(({ subject }) => subject === `kustomer.app.shop.${name}`).length;
const unfinishedKeys = async () => {
  const jsm = await jetstreamManager(beside);
  return (await jsm.streams.info("KV_posthorn_unfinished")).state.messages;
};
const sendTo = async (daemon: TestDaemon, to: string | readonly string[], mail: string) => {
  using relay = await daemon.connectRelay();
  return await relay.send({ to, mail });
};

/** From now on the stream takes one event on each subject, until what this returns is called. */
async function limitToOneOnEachSubject(): Promise<() => Promise<unknown>> {
  const { jsm } = second.daemon.storage;
  const { config } = await jsm.streams.info(EVENTS);
  const limit = { discard: DiscardPolicy.New, max_msgs_per_subject: 1, discard_new_per_subject: true };
  await jsm.streams.update(EVENTS, { ...config, ...limit });
  return () => jsm.streams.update(EVENTS, { ...config, max_msgs_per_subject: -1, discard_new_per_subject: false });
}

test("a lost ack, 451, and a retry after the window on either replica: one event", async () => {
  const before = await storedOn("a");
  const known = await unfinishedKeys();
  proxy.holdReplies();
  const reply = sendTo(first, a, order(1));
  await expect.poll(() => storedOn("a")).toBe(before + 1);
  expect(await reply).toMatch(/^451 4\.3\.0 /);
  proxy.cut();
  await expect.poll(unfinishedKeys, { timeout: 20_000 }).toBeGreaterThan(known);
  await windowPassed(nats, "kustomer.app.probe");
  expect(await sendTo(second, a, order(1))).toMatch(/^250 2\.0\.0 /);
  await expect.poll(() => sendTo(first, a, order(1)), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
  expect(await storedOn("a")).toBe(before + 1);
});

test("a batch that was stored in part: the retry after the window stores only the rest", async () => {
  const [hook] = await second.install([{ eventName: "kustomer.app.desk.web", type: "web" }], "desk");
  const { key } = await second.daemon.storage.keys.create({ app: "desk", expires: null }, Date.now());
  const body = JSON.stringify(["1", "2", "3"].map((id) => ({ specversion: "1.0", id, source: "/b", type: "t" })));
  const headers = { "x-api-key": key, "content-type": "application/cloudevents-batch+json" };
  const post = ({ daemon }: TestDaemon) =>
    fetch(`http://${daemon.http.address}/v1/hooks/web/${hook?.hookId}`, { method: "POST", headers, body });
  const stored = async () => (await storedIn(second, EVENTS)).filter(({ subject }) => subject === hook?.eventName);
  const known = await unfinishedKeys();
  const unlimited = await limitToOneOnEachSubject();
  expect((await post(second)).status).toBe(507);
  expect(await stored()).toHaveLength(1);
  await expect.poll(unfinishedKeys, { timeout: 20_000 }).toBeGreaterThan(known);
  await unlimited();
  await windowPassed(nats, "kustomer.app.probe");
  const answer = (await (await post(first)).json()) as { events: { duplicate: boolean }[] };
  expect(answer.events.filter(({ duplicate }) => duplicate)).toHaveLength(1);
  expect(await stored()).toHaveLength(3);
});

test("two recipients, one stored and one refused for now: the retry after the window stores only the other", async () => {
  const before = { a: await storedOn("a"), b: await storedOn("b"), known: await unfinishedKeys() };
  const unlimited = await limitToOneOnEachSubject();
  expect(await sendTo(second, [b, a], order(2))).toMatch(/^452 4\.3\.1 /);
  await expect.poll(unfinishedKeys, { timeout: 20_000 }).toBeGreaterThan(before.known);
  await unlimited();
  await windowPassed(nats, "kustomer.app.probe");
  await expect.poll(() => sendTo(first, [b, a], order(2)), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
  expect([await storedOn("a"), await storedOn("b")]).toEqual([before.a + 1, before.b + 1]);
});

test("a relay that was gone before its 250: its retry after the window stores nothing new", async () => {
  const before = { a: await storedOn("a"), known: await unfinishedKeys() };
  proxy.holdReplies();
  const relay = await first.connectRelay();
  relay.send({ to: a, mail: order(3) }).catch(() => undefined);
  await expect.poll(() => storedOn("a")).toBe(before.a + 1);
  const closed = once(relay.socket, "close");
  relay.socket.destroy();
  await closed;
  // The daemon sees the end of the connection before the ack that it waits for.
  await expect.poll(() => first.daemon.mail.admission.connections).toBe(0);
  proxy.releaseReplies();
  await expect.poll(unfinishedKeys, { timeout: 20_000 }).toBeGreaterThan(before.known);
  await windowPassed(nats, "kustomer.app.probe");
  expect(await sendTo(second, a, order(3))).toMatch(/^250 2\.0\.0 /);
  expect(await storedOn("a")).toBe(before.a + 1);
});

test("a restarted daemon knows what was unfinished before", async () => {
  await using third = await startTestDaemon(nats, { POSTHORN_DEDUPE_WINDOW: "1s" });
  const before = await storedOn("a");
  expect(await sendTo(third, a, order(1))).toMatch(/^250 2\.0\.0 /);
  expect(await sendTo(third, a, order(3))).toMatch(/^250 2\.0\.0 /);
  expect(await storedOn("a")).toBe(before);
});
