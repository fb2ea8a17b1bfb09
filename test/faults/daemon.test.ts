import { join } from "node:path";

import { expect, test } from "vitest";

import type { Storage } from "../../src/daemon/storage.ts";
import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";
import { RelayQueue, compare, openLedger, orderMail, storedIds } from "./support/ledger.ts";

const PLANT = join(import.meta.dirname, "support", "plant.ts");
const KEPT = { lost: [], doubled: [], bounced: [] };
const DAY_MS = 24 * 60 * 60 * 1_000;
/** Larger than what the main thread reads itself. */
const FOR_A_WORKER = `,"text":"${"x".repeat(40_000)}"`;

async function lastEventTime({ jsm }: Storage): Promise<number> {
  const { state } = await jsm.streams.info("POSTHORN_EVENTS");
  const message = await jsm.streams.getMessage("POSTHORN_EVENTS", { seq: state.last_seq });
  return Date.parse(message?.json<{ readonly time: string }>().time ?? "");
}

function microdataMail(number: number, text: string): string {
  return `From: shop@example.org\r\nMessage-ID: <${number}@example.org>\r\nContent-Type: text/html\r\n\r\n<div itemscope itemtype="https://schema.org/Order"><b itemprop="orderNumber">${number}</b></div>\r\n<!-- ${text.replaceAll(/x{70}/g, "$&\r\n")} -->\r\n`;
}

async function plant(daemon: DaemonProcess): Promise<void> {
  const from = daemon.log.length;
  daemon.signal("SIGUSR2");
  await expect.poll(() => daemon.log.slice(from)).toContain("Planted");
}

test("the wall clock jumps three days on, and four days back: mail is taken and stored once", async () => {
  await using nats = await startNatsServer();
  await using folder = await temporaryFolder();
  const clock = await fakeClock(folder.path);
  await using daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info", ...clock.env });
  await using ledger = await openLedger(nats);
  const queue = new RelayQueue(() => ({ port: daemon.smtpPort, address: ledger.address }));
  let number = 0;
  for (const days of [0, 3, -1]) {
    await clock.set(days);
    queue.add(...Array.from({ length: 40 }, () => (number += 1)));
    await queue.run(2);
    // The daemon believes its clock, and the event says so.
    expect(Math.round((await lastEventTime(ledger.storage)) - Date.now()) / DAY_MS).toBeCloseTo(days, 1);
  }
  // What was stored before the jumps is recognised after them.
  const first = queue.accepted.get(1);
  queue.add(1);
  await queue.run(1);
  expect(queue.accepted.get(1)).toBe(first);
  expect(await compare(queue, ledger.storage, "POSTHORN_EVENTS")).toEqual(KEPT);
  expect(await daemon.stop("SIGTERM")).toBe(0);
  process.stdout.write(`faults | clock jumps: ${number} mails over +3 d and -4 d, 0 lost, 0 doubled\n`);
});

test("a thread that dies, or eats its memory, costs its own mail only: a dead letter, said in the log", async () => {
  await using nats = await startNatsServer();
  const env = { POSTHORN_LOG_LEVEL: "info", POSTHORN_WORKERS: "2" };
  await using daemon = await startDaemonProcess(nats.url, env, { preload: [PLANT] });
  await using ledger = await openLedger(nats);
  const to = () => ({ port: daemon.smtpPort, address: ledger.address });
  const deadly = new RelayQueue(to, (number) =>
    orderMail(number, `,"${number % 2 === 0 ? "DIE-IN-THE-WORKER" : "EAT-ALL-MEMORY"}":1${FOR_A_WORKER}`),
  );
  const ordinary = new RelayQueue(to, (number) => orderMail(number, FOR_A_WORKER));
  deadly.add(1001, 1002);
  ordinary.add(...Array.from({ length: 60 }, (_, index) => index + 1));
  await Promise.all([deadly.run(2), ordinary.run(2)]);
  expect(await compare(ordinary, ledger.storage, "POSTHORN_EVENTS")).toEqual(KEPT);
  expect(await compare(deadly, ledger.storage, "POSTHORN_DEAD_LETTERS")).toEqual(KEPT);
  expect((await storedIds(ledger.storage, "POSTHORN_EVENTS")).size).toBe(60);
  expect(daemon.log).toContain("An engine thread was replaced");
  process.stdout.write(`faults | dying workers: 2 deadly mails dead-lettered, 60 others stored; ${ordinary.story}\n`);
});

test("threads that cannot start are a fault of ours: 451 and never a dead letter, said in the log", async () => {
  await using nats = await startNatsServer();
  const env = { POSTHORN_LOG_LEVEL: "info", POSTHORN_TEST_PLANT: "no-threads" };
  await using daemon = await startDaemonProcess(nats.url, env, { preload: [PLANT] });
  await using ledger = await openLedger(nats);
  const queue = new RelayQueue(
    () => ({ port: daemon.smtpPort, address: ledger.address }),
    (number) => orderMail(number, FOR_A_WORKER),
  );
  queue.add(1);
  await queue.run(1, () => queue.retries > 2);
  expect(queue.story).toMatch(/^3 × 451 4\.3\.2 /);
  expect(daemon.log).toContain("could not start: ");
  await daemon.stop("SIGKILL");
  await daemon.start({ POSTHORN_TEST_PLANT: "" });
  await queue.run(1);
  expect(await compare(queue, ledger.storage, "POSTHORN_EVENTS")).toEqual(KEPT);
});

test("code that cannot be loaded at its first use is a fault of ours: 451 and never a dead letter, in every thread", async () => {
  await using nats = await startNatsServer();
  const env = { POSTHORN_LOG_LEVEL: "info", POSTHORN_TEST_PLANT: "no-late-code" };
  await using daemon = await startDaemonProcess(nats.url, env, { preload: [PLANT] });
  await using ledger = await openLedger(nats);
  const to = () => ({ port: daemon.smtpPort, address: ledger.address });
  const queues = [0, 40_000].map((more) => new RelayQueue(to, (number) => microdataMail(number, "x".repeat(more))));
  for (const [index, queue] of queues.entries()) {
    queue.add(index + 1);
    await queue.run(1, () => queue.retries > 2);
  }
  expect(queues.map(({ story }) => story)).toEqual([
    expect.stringMatching(/^3 × 451 4\.3\.2 /),
    expect.stringMatching(/^3 × 451 4\.3\.2 /),
  ]);
  expect(daemon.log).toContain("a part of the program could not be loaded");
  await daemon.stop("SIGKILL");
  await daemon.start({ POSTHORN_TEST_PLANT: "" });
  for (const queue of queues) {
    await queue.run(1);
    expect(await compare(queue, ledger.storage, "POSTHORN_EVENTS")).toEqual(KEPT);
  }
});

test("an unhandled rejection ends the daemon, says so, and loses nothing", async () => {
  await using nats = await startNatsServer();
  const env = { POSTHORN_LOG_LEVEL: "info", POSTHORN_TEST_PLANT: "reject" };
  await using daemon = await startDaemonProcess(nats.url, env, { preload: [PLANT] });
  await using ledger = await openLedger(nats);
  const queue = new RelayQueue(() => ({ port: daemon.smtpPort, address: ledger.address }));
  queue.add(...Array.from({ length: 100 }, (_, index) => index + 1));
  const delivered = queue.run(4);
  await expect.poll(() => queue.accepted.size).toBeGreaterThan(20);
  await plant(daemon);
  await expect.poll(() => daemon.hasEnded).toBe(true);
  await expect.poll(() => daemon.log).toContain("planted");
  expect(daemon.log).toContain("A fault of ours ends the process");
  await daemon.start();
  await delivered;
  expect(queue.accepted.size).toBe(100);
  expect(await compare(queue, ledger.storage, "POSTHORN_EVENTS")).toEqual(KEPT);
});

test("few file descriptors: said at the start, 421 for whom there is none, and mail is taken when they leave", async () => {
  await using nats = await startNatsServer();
  const env = { POSTHORN_LOG_LEVEL: "info" };
  await using daemon = await startDaemonProcess(nats.url, env, { shellBefore: "ulimit -n 128" });
  await using ledger = await openLedger(nats);
  expect(daemon.log).toContain("Fewer files may be open than connections are allowed");
  const crowd: Relay[] = [];
  const greetings = new Map<string, number>();
  for (let i = 0; i < 200; i += 1) {
    const relay = await connectRelay({ host: "127.0.0.1", port: daemon.smtpPort }, { greet: false });
    const code = relay.greeting.slice(0, 9);
    greetings.set(code, (greetings.get(code) ?? 0) + 1);
    if (code.startsWith("220")) crowd.push(relay);
    else relay[Symbol.dispose]();
  }
  expect([...greetings.keys()].sort()).toEqual(["220 local", "421 4.3.2"]);
  // Among those that are in, mail is taken all the same.
  const [one] = crowd;
  await one?.say("EHLO relay.example.org");
  expect(await one?.send({ to: ledger.address, mail: orderMail(1) })).toMatch(/^250 /);
  for (const relay of crowd) relay[Symbol.dispose]();
  const queue = new RelayQueue(() => ({ port: daemon.smtpPort, address: ledger.address }));
  queue.add(2, 3);
  await queue.run(2);
  expect(await compare(queue, ledger.storage, "POSTHORN_EVENTS")).toEqual(KEPT);
});
