import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import { RelayQueue, compare, openLedger, orderMail, storedIds } from "./support/ledger.ts";

const EVENTS = "POSTHORN_EVENTS";
const KEPT = { lost: [], doubled: [], bounced: [] };

let nats: NatsServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let daemon: DaemonProcess;
let ledger: Awaited<ReturnType<typeof openLedger>>;
let number = 0;
/** Mails of an honest relay, which must be taken whatever others do beside it. */
let honest: RelayQueue;

beforeAll(async () => {
  nats = await startNatsServer();
  folder = await temporaryFolder();
  daemon = await startDaemonProcess(nats.url, {
    ...(await writeCertificate(folder.path, makeCertificate("localhost"))),
    POSTHORN_LOG_LEVEL: "info",
    POSTHORN_IDLE_TIMEOUT: "6s",
    POSTHORN_TRANSACTION_TIMEOUT: "10s",
    POSTHORN_MAX_CONNECTIONS: "400",
  });
  ledger = await openLedger(nats);
  honest = new RelayQueue(() => ({ port: daemon.smtpPort, address: ledger.address }));
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const at = () => ({ host: "127.0.0.1", port: daemon.smtpPort });
const megabytes = async () =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${daemon.pid}/status`, "utf8"))?.[1]) / 1024);

async function honestMails(count: number): Promise<void> {
  honest.add(...Array.from({ length: count }, () => (number += 1)));
  await honest.run(2);
}

/** Opens so many sockets; each is handed on as soon as it is connected. */
const openSockets = (count: number): Promise<Socket[]> =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect(at(), () => resolve(socket));
          socket.on("error", () => resolve(socket));
          socket.resume();
        }),
    ),
  );

test("clients that drop in the middle of DATA leave nothing behind", async () => {
  for (let i = 0; i < 50; i += 1) {
    using relay = await connectRelay(at());
    await relay.say("MAIL FROM:<a@example.org>");
    await relay.say(`RCPT TO:<${ledger.address}>`);
    await relay.say("DATA");
    relay.socket.write(orderMail(100_000 + i).slice(0, -4));
  }
  await honestMails(10);
  expect((await storedIds(ledger.storage, EVENTS)).size).toBe(honest.accepted.size);
});

test("a byte a second, and no answer at all: the deadlines of command and transaction end them", async () => {
  using slow = await connectRelay(at(), { patienceMs: 60_000 });
  await slow.say("MAIL FROM:<a@example.org>");
  await slow.say(`RCPT TO:<${ledger.address}>`);
  await slow.say("DATA");
  const drip = setInterval(() => slow.socket.write("x"), 1_000);
  const silent = await openSockets(50);
  await honestMails(10);
  expect(await slow.reply()).toMatch(/^421 4\.4\.2 /);
  clearInterval(drip);
  await Promise.all(silent.map((socket) => ended(socket)));
});

test("2,000 connections at once: 421 past the limit, an honest relay gets through, memory stays bounded", async () => {
  const before = await megabytes();
  const crowd = await openSockets(2_000);
  const during = await megabytes();
  for (const socket of crowd) socket.destroy();
  await honestMails(20);
  process.stdout.write(`faults | 2,000 connections: ${before} MB before, ${during} MB during\n`);
  // 400 conversations of a few kilobytes, and sockets that wait for their 421.
  expect(during - before).toBeLessThan(200);
});

test("10,000 RCPTs in one go: a hundred are taken, the others 452, and the mail is one event", async () => {
  using relay = await connectRelay(at(), { patienceMs: 60_000 });
  await relay.say("MAIL FROM:<a@example.org>");
  relay.socket.write(`RCPT TO:<${ledger.address}>\r\n`.repeat(10_000));
  const codes = new Map<string, number>();
  for (let i = 0; i < 10_000; i += 1) {
    const code = (await relay.reply()).slice(0, 9);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes]).toEqual([
    ["250 2.1.5", 100],
    ["452 4.5.3", 9_900],
  ]);
  expect(await relay.data(orderMail(200_000))).toMatch(/^250 2\.0\.0 \S{26}$/);
});

test("everything in one packet, QUIT and commands behind it: each is answered in order, nothing behind QUIT is", async () => {
  const socket = connect(at());
  let heard = "";
  socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
  // A client that talks before it is greeted is sent away.
  await expect.poll(() => heard).toContain("220 ");
  const transaction = (mail: number) =>
    `MAIL FROM:<a@example.org>\r\nRCPT TO:<${ledger.address}>\r\nDATA\r\n${orderMail(mail)}.\r\n`;
  socket.write(`EHLO x\r\n${transaction(200_001)}${transaction(200_002)}QUIT\r\n${transaction(200_003)}`);
  await ended(socket);
  const codes = [...heard.matchAll(/^(\d{3}) /gm)].map(([, code]) => code);
  expect(codes).toEqual(["220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"]);
  expect((await storedIds(ledger.storage, EVENTS)).size).toBe(honest.accepted.size + 3);
});

test("TLS that is asked for and never begun, begun and left, or spoken as rubbish: each ends, and nobody waits for it", async () => {
  const ends: Promise<void>[] = [];
  for (const say of ["", "\x16\x03\x01\x02\x00\x01\x00", "GET / HTTP/1.1\r\n\r\n"]) {
    for (let i = 0; i < 20; i += 1) {
      const relay = await connectRelay(at());
      expect(await relay.say("STARTTLS")).toMatch(/^220 /);
      relay.socket.write(say, "latin1");
      ends.push(ended(relay.socket));
    }
  }
  await honestMails(10);
  await Promise.all(ends);
});

test("after all of that: every mail of the honest relay is stored once, and the daemon has not been replaced", async () => {
  await honestMails(20);
  expect(await compare(honest, ledger.storage, EVENTS)).toEqual(KEPT);
  expect(daemon.hasEnded).toBe(false);
  expect(daemon.log).not.toContain('"level":"error"');
  process.stdout.write(`faults | misbehaving clients: ${number} honest mails, 0 lost, 0 doubled; ${honest.story}\n`);
});

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}
