import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

// Every metric is seen to move by what it measures, as Prometheus would read it.

const TOKEN = "a-token-for-this-test";
const ROOT = join(import.meta.dirname, "..", "..");

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

async function scrape(of = posthorn): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await fetch(`http://${of.daemon.admin.address}/metrics`, { headers })).text();
}

/** The value of one series; 0 for one that was never counted. */
async function read(series: string, of = posthorn): Promise<number> {
  const line = (await scrape(of)).split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

const ORDER = "kustomer.app.shop.order";

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

  const outcome = (door: string, hook: string, rest: string) =>
    read(`posthorn_outcomes_total{door="${door}",hook="${hook}",${rest}}`);
  expect(await outcome("smtp", ORDER, 'outcome="stored",cause=""')).toBe(1);
  expect(await outcome("smtp", ORDER, 'outcome="deadLettered",cause="nothing-extracted"')).toBe(1);
  expect(await outcome("lmtp", "kustomer.app.other.strict", 'outcome="refused",cause="empty"')).toBe(1);
  expect(await outcome("http", "kustomer.app.other.form", 'outcome="stored",cause=""')).toBe(1);
  const refusal = (door: string, hook: string, rest: string) =>
    read(`posthorn_refusals_total{door="${door}",hook="${hook}",${rest}}`);
  expect(await refusal("smtp", "", 'answer="550 5.1.1",cause="no-such-hook"')).toBe(1);
  expect(await refusal("lmtp", "kustomer.app.other.strict", 'answer="550 5.6.0",cause="empty"')).toBe(1);
  expect(await refusal("http", "", 'answer="404",cause="no-such-hook"')).toBe(1);
  const took = (door: string, hook: string) => read(`posthorn_delivery_seconds_count{door="${door}",hook="${hook}"}`);
  expect(await took("smtp", ORDER)).toBe(2);
  expect(await took("lmtp", "kustomer.app.other.strict")).toBe(1);
  await expect.poll(() => took("http", "kustomer.app.other.form")).toBe(1);
  expect(await read(`posthorn_delivery_seconds_sum{door="smtp",hook="${ORDER}"}`)).toBeGreaterThan(0);
  expect(await read("posthorn_ack_seconds_count")).toBe(3);
  expect(await read("posthorn_ack_seconds_sum")).toBeGreaterThan(0);
  expect(await read("posthorn_parse_seconds_count")).toBe(3);
  expect(await read("posthorn_registry_loaded")).toBe(1);
});

test("answers of one code are told apart by their cause", async () => {
  const [paused, off, limited] = await posthorn.install(
    ["paused", "off", "limited"].map((name) => ({
      eventName: `kustomer.app.causes.${name}`,
      type: "email",
      ...(name === "limited" && { "x-posthorn": { rateLimit: { perMinute: 1 } } }),
    })),
    "causes",
  );
  await posthorn.daemon.storage.registry.setState("kustomer.app.causes.paused", "paused");
  await posthorn.daemon.storage.registry.setState("kustomer.app.causes.off", "disabled");
  for (const hook of [paused, off, limited, limited]) await send(`${hook?.hookId}@localhost`, json(5));
  await send("somebody@elsewhere.example", json(5));
  using relay = await posthorn.connectRelay();
  await relay.say("MAIL FROM:<a@x.example> SIZE=999999999");
  const refusal = (hook: string, rest: string) => read(`posthorn_refusals_total{door="smtp",hook="${hook}",${rest}}`);
  expect(await refusal("kustomer.app.causes.paused", 'answer="450 4.2.1",cause="hook-paused"')).toBe(1);
  expect(await refusal("kustomer.app.causes.off", 'answer="550 5.2.1",cause="hook-disabled"')).toBe(1);
  expect(await refusal("kustomer.app.causes.limited", 'answer="450 4.7.1",cause="rate-limited"')).toBe(1);
  expect(await refusal("", 'answer="550 5.7.1",cause="not-our-domain"')).toBe(1);
  expect(await refusal("", 'answer="552 5.3.4",cause="too-large"')).toBe(1);
});

test("what follows a refusal in a pipelined group is no refusal of its own, a bad sequence by itself is", async () => {
  const total = async () =>
    (await scrape())
      .split("\n")
      .filter((line) => line.startsWith("posthorn_refusals_total{"))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  const before = await total();
  using relay = await posthorn.connectRelay();
  relay.socket.write("MAIL FROM:<a@x.example>\r\nRCPT TO:<nobody@localhost>\r\nDATA\r\n");
  expect([await relay.reply(), await relay.reply(), await relay.reply()].map((line) => line.slice(0, 3))).toEqual([
    "250",
    "550",
    "503",
  ]);
  expect(await total()).toBe(before + 1);
  await relay.say("RSET");
  // MAIL itself is refused, and everything behind it is out of sequence.
  relay.socket.write("MAIL FROM:<a@x.example> XYZ=1\r\nRCPT TO:<nobody@localhost>\r\nDATA\r\n");
  expect([await relay.reply(), await relay.reply(), await relay.reply()].map((line) => line.slice(0, 3))).toEqual([
    "555",
    "503",
    "503",
  ]);
  expect(await total()).toBe(before + 2);
  await relay.say("RSET");
  expect(await relay.say("DATA")).toMatch(/^503 /);
  expect(await total()).toBe(before + 3);
  expect(await read('posthorn_refusals_total{door="smtp",hook="",answer="503 5.5.1",cause="protocol"}')).toBe(1);
});

test("the first scrape tells the truth of the process, its version, the store and the certificate", async () => {
  const folder = await temporaryFolder();
  await using _folder = folder;
  const certificate = makeCertificate("mx.hooks.example");
  const fresh = await startTestDaemon(nats, {
    POSTHORN_ADMIN_TOKEN: TOKEN,
    ...(await writeCertificate(folder.path, certificate)),
  });
  await using _end = fresh;
  const { jsm } = fresh.daemon.storage;
  const { config } = await jsm.streams.info("POSTHORN_EVENTS");
  await jsm.streams.update("POSTHORN_EVENTS", { ...config, max_bytes: 100_000_000, max_age: 0 });
  const text = await scrape(fresh);
  const value = (series: string) => Number(new RegExp(`^${series} (\\S+)$`, "m").exec(text)?.[1]);
  const { user, system } = process.cpuUsage();
  expect(value("process_cpu_seconds_total")).toBeGreaterThan((user + system) / 2e6);
  expect(value("process_cpu_seconds_total")).toBeLessThanOrEqual((user + system) / 1e6);
  for (const name of ["min", "max", "mean", "p50", "p99"]) {
    expect(value(`nodejs_eventloop_lag_${name}_seconds`), name).toBeGreaterThanOrEqual(0);
    expect(value(`nodejs_eventloop_lag_${name}_seconds`), name).toBeLessThan(60);
  }
  expect(text).not.toMatch(/ (?:NaN|undefined)$/m);
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(text).toContain(`posthorn_build_info{version="${version}",node="${process.version}"} 1\n`);
  // Some events came in the last hour, and go on for ever.
  const days = value('posthorn_store_full_days\\{stream="POSTHORN_EVENTS"\\}');
  expect(days).toBeGreaterThan(1);
  expect(days).toBeLessThan(100_000);
  const remaining = (Date.parse(new X509Certificate(certificate.cert).validTo) - Date.now()) / 1_000;
  expect(Math.abs(value("posthorn_certificate_remaining_seconds") - remaining)).toBeLessThan(60);
  // Two scrapes at once do not rob each other of what they tell.
  for (const again of await Promise.all([scrape(fresh), scrape(fresh)]))
    expect(again).not.toMatch(/ (?:NaN|undefined|9\.2\d+e\+?\d+|9223372036.*)$/m);
});

test("every name that Prometheus' own client gives a process is there", async () => {
  const { Registry, collectDefaultMetrics } = await import("prom-client");
  const theirs = new Registry();
  collectDefaultMetrics({ register: theirs });
  const text = await scrape();
  const missing = (await theirs.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => !text.includes(`# TYPE ${name} `));
  // Deprecated there; the resources say it all.
  expect(missing.filter((name) => !/^nodejs_active_(?:handles|requests)/.test(name))).toEqual([]);
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
  expect(
    await read('posthorn_refusals_total{door="smtp",hook="",answer="451 4.3.0",cause="nats-away"}'),
  ).toBeGreaterThan(0);
  await nats.start();
  await expect.poll(() => read("posthorn_nats_connected")).toBe(1);
});
