import { connect } from "node:net";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

// Every metric is seen to move by what it measures, as Prometheus would read it.

const TOKEN = "a-token-for-this-test";

let nats: NatsServer;
let proxy: TcpProxy;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  proxy = await startTcpProxy(nats.port);
  posthorn = await startTestDaemon(nats, {
    POSTHORN_NATS_URL: proxy.url,
    POSTHORN_ADMIN_TOKEN: TOKEN,
    POSTHORN_WORKERS: "1",
  });
});
afterEach(() => proxy.releaseReplies());
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** The value of one series; 0 for one that was never counted. */
async function read(series: string, of = posthorn): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const text = await (await fetch(`http://${of.daemon.admin.address}/metrics`, { headers })).text();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

const json = (number: number) =>
  `Message-ID: <${number}@x>\r\nContent-Type: application/json\r\n\r\n{"order":${number}}\r\n`;
const WORDS = "Subject: words\r\n\r\nJust words.\r\n";

async function send(to: string, mail: string, door: "smtp" | "lmtp" = "smtp", of = posthorn): Promise<string> {
  using relay = await of.connectRelay(door);
  return await relay.send({ to, mail });
}

const post = async (url: string, key: string, batch: unknown) => {
  const headers = { "content-type": "application/cloudevents-batch+json", "x-api-key": key };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(batch) })).status;
};

test("outcomes and refusals are counted by door, and so are acks and parses", async () => {
  const order = await posthorn.emailHook();
  const [strict, web] = await posthorn.install(
    [
      { eventName: "kustomer.app.other.strict", type: "email", "x-posthorn": { empty: "reject" } },
      { eventName: "kustomer.app.other.form", type: "form" },
    ],
    "other",
  );
  expect(await send(order.address, json(1))).toMatch(/^250 /);
  expect(await send(order.address, WORDS)).toMatch(/^250 /);
  expect(await send(`${strict?.hookId}@localhost`, WORDS, "lmtp")).toMatch(/^550 5\.6\.0/);
  expect(await send("nobody@localhost", WORDS)).toMatch(/^550 5\.1\.1/);
  const url = `http://${posthorn.daemon.http.address}/v1/hooks/form/${web?.hookId}`;
  expect((await fetch(url, { method: "POST", body: new URLSearchParams({ a: "1" }) })).status).toBe(202);
  expect((await fetch(`${url}x`, { method: "POST", body: "a=1" })).status).toBe(404);

  expect(await read('posthorn_outcomes_total{door="smtp",outcome="stored",cause=""}')).toBe(1);
  expect(await read('posthorn_outcomes_total{door="smtp",outcome="deadLettered",cause="nothing-extracted"}')).toBe(1);
  expect(await read('posthorn_outcomes_total{door="lmtp",outcome="refused",cause="empty"}')).toBe(1);
  expect(await read('posthorn_outcomes_total{door="http",outcome="stored",cause=""}')).toBe(1);
  expect(await read('posthorn_refusals_total{door="smtp",answer="550 5.1.1"}')).toBe(1);
  expect(await read('posthorn_refusals_total{door="lmtp",answer="550 5.6.0"}')).toBe(1);
  expect(await read('posthorn_refusals_total{door="http",answer="404"}')).toBe(1);
  expect(await read("posthorn_ack_seconds_count")).toBe(3);
  expect(await read("posthorn_ack_seconds_sum")).toBeGreaterThan(0);
  expect(await read("posthorn_parse_seconds_count")).toBe(3);
  expect(await read("posthorn_registry_loaded")).toBe(1);
});

test("bytes in flight, publishes that wait, connections and tries without an ack, while acks are held back", async () => {
  const [web] = await posthorn.install([{ eventName: "kustomer.app.held.paid", type: "web" }], "held");
  const { key } = await posthorn.daemon.storage.keys.create({ app: "held", expires: null }, Date.now());
  const [order] = await posthorn.install([{ eventName: "kustomer.app.late.order", type: "email" }], "late");
  // More events than may be on their way at once.
  const batch = Array.from({ length: 300 }, (_, id) => ({
    specversion: "1.0",
    type: "paid",
    source: "/shop",
    id: String(id),
    data: {},
  }));
  proxy.holdReplies();
  const mail = send(`${order?.hookId}@localhost`, json(2));
  await expect.poll(() => read('posthorn_in_flight_bytes{door="mail"}')).toBeGreaterThan(0);
  await expect.poll(() => read("posthorn_mail_connections")).toBe(1);
  await expect.poll(() => read("posthorn_publishes_unacknowledged_total")).toBeGreaterThan(0);
  proxy.releaseReplies();
  expect(await mail).toMatch(/^250 /);
  await expect.poll(() => read('posthorn_in_flight_bytes{door="mail"}')).toBe(0);
  proxy.holdReplies();
  const status = post(`http://${posthorn.daemon.http.address}/v1/hooks/web/${web?.hookId}`, key, batch);
  await expect.poll(() => read('posthorn_queue_depth{queue="publish"}')).toBeGreaterThan(0);
  proxy.releaseReplies();
  expect([202, 503]).toContain(await status);
  await expect.poll(() => read('posthorn_queue_depth{queue="publish"}')).toBe(0);
});

test("bytes of a request body that is still on its way", async () => {
  const [web] = await posthorn.install([{ eventName: "kustomer.app.slow.form", type: "form" }], "slow");
  const socket = connect(Number(posthorn.daemon.http.address?.split(":").at(-1)), "127.0.0.1");
  socket.write(
    `POST /v1/hooks/form/${web?.hookId} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"order":`,
  );
  await expect.poll(() => read('posthorn_in_flight_bytes{door="http"}')).toBe(9);
  socket.destroy();
  await expect.poll(() => read('posthorn_in_flight_bytes{door="http"}')).toBe(0);
});

test("mails that wait for the one worker", async () => {
  // A schema belongs to strangers, so that even the smallest mail is read in a worker.
  const [hook] = await posthorn.install(
    [{ eventName: "kustomer.app.pool.order", type: "email", "x-posthorn": { schema: { type: "object" } } }],
    "pool",
  );
  let deepest = 0;
  let number = 1_000;
  await expect
    .poll(async () => {
      const mails = Array.from({ length: 30 }, () => send(`${hook?.hookId}@localhost`, json((number += 1))));
      const all = Promise.all(mails).then(() => true);
      while (!(await Promise.race([all, read('posthorn_queue_depth{queue="worker"}').then(noteDepth)])));
      return deepest;
    })
    .toBeGreaterThan(0);

  function noteDepth(depth: number): boolean {
    deepest = Math.max(deepest, depth);
    return depth > 0;
  }
});

test("a worker that is replaced", async () => {
  const hasty = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN, POSTHORN_PARSE_TIMEOUT: "1ms" });
  await using _end = hasty;
  const [hook] = await hasty.install([{ eventName: "kustomer.app.hasty.order", type: "email" }], "hasty");
  const mail = `Content-Type: text/html\r\n\r\n${`<p>${"x".repeat(70)}</p>\r\n`.repeat(5_000)}`;
  // 250 for a dead letter when the CPU time was spent, 451 when a busy machine was late: the worker goes either way.
  await expect
    .poll(async () => {
      await send(`${hook?.hookId}@localhost`, mail, "smtp", hasty);
      return read("posthorn_worker_restarts_total", hasty);
    })
    .toBeGreaterThan(0);
});

test("NATS away: a refusal to be tried later, and the gauge says so", async () => {
  const [hook] = await posthorn.install([{ eventName: "kustomer.app.away.order", type: "email" }], "away");
  await nats.kill();
  await expect.poll(() => read("posthorn_nats_connected")).toBe(0);
  expect(await send(`${hook?.hookId}@localhost`, json(3))).toMatch(/^451 4\.3\.0/);
  expect(await read('posthorn_refusals_total{door="smtp",answer="451 4.3.0"}')).toBeGreaterThan(0);
  await nats.start();
  await expect.poll(() => read("posthorn_nats_connected")).toBe(1);
});
