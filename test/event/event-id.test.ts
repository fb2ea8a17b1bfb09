import { afterAll, beforeAll, expect, test } from "vitest";

import { mailEventId, messageKeyOf, unreadMailIdentity } from "../../src/event/event-id.ts";
import type { MailSummary } from "../../src/model/mail.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

const SHA256 = "0".repeat(64);
const IDENTITY: MailSummary["identity"] = {
  messageId: "<1@example.org>",
  date: "Tue, 24 Nov 2026 10:00:00 +0100",
  from: "a@example.org",
  received: "from a by b id Q1; Tue, 24 Nov 2026 10:00:00 +0100",
  bodySha256: SHA256,
};
const idOf = (identity: Partial<MailSummary["identity"]>, tag: string | null = null) =>
  mailEventId({ identity: { ...IDENTITY, ...identity } }, "shop", "kustomer.app.shop.order", tag);

test("the topmost Received field names a mail only where Message-ID and Date are both missing", () => {
  const other = { received: "from a by b id Q2; Tue, 24 Nov 2026 10:00:05 +0100" };
  expect(idOf(other)).toBe(idOf({}));
  expect(idOf({ ...other, date: "" })).toBe(idOf({ date: "" }));
  expect(idOf({ ...other, messageId: "" })).toBe(idOf({ messageId: "" }));
  const unnamed = { messageId: " ", date: "" };
  expect(idOf({ ...other, ...unnamed })).not.toBe(idOf(unnamed));
  // Its objects, too, belong to one of the two only.
  expect(messageKeyOf({ ...IDENTITY, ...other, ...unnamed })).not.toBe(messageKeyOf({ ...IDENTITY, ...unnamed }));
});

test("an unread mail's id is that of no read one, whatever stands in it", () => {
  const nothing = { messageId: "", date: "", from: "", received: "" };
  const unread = idOf(unreadMailIdentity(SHA256));
  expect(unread).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  expect(unread).not.toBe(idOf(nothing));
  expect(unread).not.toBe(idOf(unreadMailIdentity(SHA256), "tag"));
  expect(unread).not.toBe(idOf(unreadMailIdentity("1".repeat(64))));
});

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

/** As Postfix writes it, once, when it takes a mail into its queue. */
const received = (queueId: string) =>
  `Received: from ups.local (ups.local [192.0.2.7])\r\n\tby mx.example.org (Postfix) with SMTP id ${queueId}\r\n\tfor <x@example.org>; Tue, 24 Nov 2026 10:00:00 +0100 (CET)\r\n`;
const ALARM = 'From: ups@example.org\r\nContent-Type: application/json\r\n\r\n{"alarm":"on battery"}\r\n';

test("two alarms without Message-ID and Date are two events, and the retry of one is none", async () => {
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const send = (mail: string) => relay.send({ to: address, mail });
  const older = received("AAAA111");
  const [first, retried, second] = [
    await send(received("4ABC12") + older + ALARM),
    await send(received("4ABC12") + older + ALARM),
    await send(received("4ABC13") + older + ALARM),
  ];
  expect(retried).toBe(first);
  expect(second).not.toBe(first);
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(2);
});

test("two mails that nobody can read are two dead letters where a byte differs, and their retries are none", async () => {
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const before = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).length;
  const nested = Array.from(
    { length: 60 },
    (_, n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary=b${n + 1}\r\n\r\n`,
  );
  const unreadable = (from: string) =>
    `From: ${from}\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n${nested.join("")}`;
  const replies = new Set<string>();
  for (const from of ["a@example.org", "b@example.org", "a@example.org"])
    replies.add(await relay.send({ to: address, mail: unreadable(from) }));
  expect(replies.size).toBe(2);
  for (const reply of replies) expect(reply).toMatch(/^250 2\.0\.0 /);
  const letters = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).slice(before);
  expect(letters.map(({ text }) => (JSON.parse(text) as { reason: { code: string } }).reason.code)).toEqual([
    "limit-exceeded",
    "limit-exceeded",
  ]);
});
