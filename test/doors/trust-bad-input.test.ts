import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";

// What a sender can never choose: the hook, a header of ours, a subject, a log line. Verdicts: trust-authenticate.test.ts.

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

async function twoHooks() {
  const [one, other] = await posthorn.install(
    ["one", "other"].map((name) => ({ eventName: `kustomer.app.shop.${name}`, displayEventName: name, type: "email" })),
  );
  if (one === undefined || other === undefined) throw new Error("two hooks were asked for");
  return {
    one: { ...one, address: `${one.hookId}@localhost` },
    other: { ...other, address: `${other.hookId}@localhost` },
  };
}

test("headers that name another hook lead nowhere: only the envelope chooses", async () => {
  const { one, other } = await twoHooks();
  using relay = await posthorn.connectRelay();
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  const mail = [
    `To: ${other.address}`,
    `Cc: ${other.address}`,
    `Delivered-To: ${other.address}`,
    `X-Original-To: ${other.address}`,
    `Envelope-To: ${other.address}`,
    `Resent-To: ${other.address}`,
    `X-Hook-Id: ${other.hookId}`,
    "From: a@example.org",
    "Content-Type: application/json",
    "",
    '{"eventName":"kustomer.app.shop.other"}',
    "",
  ].join("\r\n");
  expect(await relay.send({ to: one.address, mail })).toMatch(/^250 /);
  const events = (await storedIn(posthorn, "POSTHORN_EVENTS")).slice(before);
  expect(events.map(({ subject }) => subject)).toEqual([one.eventName]);
});

test("neither Subject, tag nor a header's CR and LF reach a NATS subject or a NATS header", async () => {
  const { one } = await twoHooks();
  using relay = await posthorn.connectRelay();
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  const evil = "=?utf-8?q?x=0D=0ANats-Msg-Id:_evil=0D=0A=0D=0APUB_$JS.API.STREAM.DELETE.POSTHORN=5FEVENTS?=";
  const mail = [
    "Nats-Msg-Id: evil",
    "Nats-Expected-Stream: EVIL",
    "traceparent: evil",
    `Subject: ${evil}`,
    `From: ${evil} <a@example.org>`,
    `Message-ID: <${evil}@example.org>`,
    "Content-Type: application/json",
    "",
    "{}",
    "",
  ].join("\r\n");
  const to = `${one.hookId}+$JS.API.*@localhost`;
  expect(await relay.send({ to, mail })).toMatch(/^250 /);
  const [event, ...others] = (await storedIn(posthorn, "POSTHORN_EVENTS")).slice(before);
  expect(others).toEqual([]);
  expect(event?.subject).toBe(one.eventName);
  expect(Object.keys(event?.headers ?? {}).sort()).toEqual(["Content-Type", "Nats-Expected-Stream", "Nats-Msg-Id"]);
  expect(JSON.stringify(event?.headers)).not.toContain("evil");
  expect(event?.headers["Nats-Expected-Stream"]).toBe("POSTHORN_EVENTS");
});

test("what a sender writes makes no log line of its own", async () => {
  const { one } = await twoHooks();
  await using daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "debug" });
  using relay = await connectRelay({ host: "127.0.0.1", port: daemon.smtpPort });
  const line = '{"level":"error","time":"2020-01-01T00:00:00.000Z","msg":"forged"}';
  await relay.say("EHLO forged.example");
  await relay.say(`MAIL FROM:<"\\"}${line.replaceAll('"', '\\"')}"@example.org>`);
  await relay.say("RSET");
  await relay.say(`RCPT TO:<forged\u001b[2J@localhost>`);
  await relay.say(`XFORWARD NAME=a+0D+0A${line}`);
  const mail = `From: a@example.org\r\nSubject: =?utf-8?q?x=0D=0A${line.replaceAll(" ", "_")}?=\r\nMessage-ID: <x\u2028${line}@y>\r\n\r\nnothing\r\n`;
  expect(await relay.send({ to: one.address, mail })).toMatch(/^250 /);
  await relay.say("QUIT");
  await daemon.stop();
  const lines = daemon.log.split("\n").filter((text) => text !== "");
  for (const text of lines) expect((JSON.parse(text) as { msg: string }).msg).not.toBe("forged");
  // oxlint-disable-next-line no-control-regex
  expect(daemon.log).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(daemon.log).not.toContain("nothing\r\n");
});

test("a sender's bytes stand in no reply", async () => {
  const { one } = await twoHooks();
  using relay = await posthorn.connectRelay();
  const heard: string[] = [];
  for (const line of [
    "EHLO canary.example",
    "CANARY",
    "MAIL FROM:<canary",
    "MAIL FROM:<canary@example.org> CANARY=1",
    "MAIL FROM:<canary@example.org>",
    "RCPT TO:<canary@localhost>",
    "RCPT TO:<canary@canary.example>",
    "VRFY canary",
    "AUTH CANARY",
    `RCPT TO:<${one.hookId}+canary@localhost>`,
  ])
    heard.push(await relay.say(line));
  heard.push(await relay.data("From: canary@example.org\r\nSubject: canary\r\n\r\ncanary\r\n"));
  expect(heard.join("\n").toLowerCase()).not.toContain("canary");
});
