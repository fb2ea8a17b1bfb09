import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { readSettings } from "../../src/config/settings.ts";
import type { Storage } from "../../src/daemon/storage.ts";
import { openStorage } from "../../src/daemon/storage.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";
import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import { silentLog } from "../support/silent-log.ts";

// Processes are started and waited for, beside everything else that a busy machine does.
vi.setConfig({ testTimeout: 120_000 });

const MAIL = 'From: shop@example.org\r\nContent-Type: application/json\r\n\r\n{"order":1}\r\n';

let nats: NatsServer;
let daemon: DaemonProcess;
let storage: Storage;
let address: string;
beforeEach(async () => {
  nats = await startNatsServer();
  daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info" });
  storage = await openStorage(readSettings({ POSTHORN_NATS_URL: nats.url }), silentLog);
  const definition = JSON.stringify({ app: "shop", hooks: [{ eventName: "kustomer.app.shop.order", type: "email" }] });
  const reading = readAppDefinition(definition, "test.json");
  if (reading.kind === "invalid") throw new Error("the definition is invalid");
  const { hooks } = await storage.registry.install(reading.definition);
  address = `${hooks[0]?.hookId}@localhost`;
});
afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
  await storage[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const relay = () => connectRelay({ host: "127.0.0.1", port: daemon.smtpPort });
const storedCount = async () => (await storage.jsm.streams.info("POSTHORN_EVENTS")).state.messages;

test("SIGTERM: relays that owe us a command hear 421 4.3.2, an open mail is taken to its end, and the exit code is 0", async () => {
  using idle = await relay();
  using begun = await relay();
  await begun.say("MAIL FROM:<shop@example.org>");
  await begun.say(`RCPT TO:<${address}>`);
  using open = await relay();
  await open.say("MAIL FROM:<shop@example.org>");
  await open.say(`RCPT TO:<${address}>`);
  await open.say("DATA");
  const stopped = daemon.stop("SIGTERM");
  expect(await idle.reply()).toBe("421 4.3.2 Shutting down, please try again");
  await idle.closed();
  expect(await begun.reply()).toBe("421 4.3.2 Shutting down, please try again");
  await begun.closed();
  using late = await connectRelay({ host: "127.0.0.1", port: daemon.smtpPort }, { greet: false });
  expect(late.greeting).toBe("421 4.3.2 Shutting down, please try again");
  open.socket.write(`${MAIL}.\r\n`);
  expect(await open.reply()).toMatch(/^250 2\.0\.0 /);
  expect(await open.reply()).toBe("421 4.3.2 Shutting down, please try again");
  expect(await stopped).toBe(0);
  expect(await storedCount()).toBe(1);
});

test("a mail that never ends is given up after the grace period: no 250, nothing stored, exit code 0", async () => {
  using open = await relay();
  await open.say("MAIL FROM:<shop@example.org>");
  await open.say(`RCPT TO:<${address}>`);
  await open.say("DATA");
  const stopped = daemon.stop("SIGTERM");
  expect(await open.reply()).toBe("421 4.3.2 Shutting down, please try again");
  expect(await stopped).toBe(0);
  expect(await storedCount()).toBe(0);
});

test("a stop while NATS is silent ends all the same: the mail in flight hears 4xx, and the exit code is 0", async () => {
  using open = await relay();
  nats.pause();
  const reply = open.send({ to: address, mail: MAIL });
  await expect.poll(() => open.socket.bytesWritten).toBeGreaterThan(MAIL.length);
  const stopped = daemon.stop("SIGTERM");
  expect(await reply).toMatch(/^4[25]1 4\.3\./);
  expect(await stopped).toBe(0);
  nats.resume();
});

test("a second signal ends at once, unless it is the echo of the first one; nothing was answered 250", async () => {
  using open = await relay();
  await open.say("MAIL FROM:<shop@example.org>");
  await open.say(`RCPT TO:<${address}>`);
  await open.say("DATA");
  const closed = once(open.socket, "close");
  const stopped = daemon.stop("SIGTERM");
  // A supervisor signals the process group, and a launcher hands on what it has heard too.
  process.kill(daemon.pid, "SIGTERM");
  await expect.poll(() => daemon.log).toContain("Stopping; a second signal ends at once");
  await sleep(1_100);
  expect(daemon.hasEnded).toBe(false);
  process.kill(daemon.pid, "SIGTERM");
  await closed;
  expect(await stopped).toBe(1);
  await expect.poll(() => daemon.log).toContain("Ended at once");
});
