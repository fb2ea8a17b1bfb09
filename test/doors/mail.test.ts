import { createHash } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";

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

const orderMail = (order: string) =>
  [
    "From: Shop <shop@example.org>",
    "To: somebody@example.org",
    "Subject: Your order",
    `Message-ID: <${order}@example.org>`,
    "MIME-Version: 1.0",
    "Content-Type: text/html; charset=utf-8",
    "",
    `<p>Thanks</p><script type="application/ld+json">{"@context":"http://schema.org","@type":"Order","orderNumber":${order},"price":1.10}</script>`,
    "",
  ].join("\r\n");

test("a mail with JSON-LD becomes one event, digits and all, and its 250 names it", async () => {
  const hook = await posthorn.emailHook();
  const live = await nats.connect();
  const subscription = live.subscribe(hook.eventName, { max: 1 });
  await live.flush();
  using relay = await posthorn.connectRelay();
  const reply = await relay.send({ to: hook.address, mail: orderMail("12345678901234567890") });
  const [, eventId = ""] = /^250 2\.0\.0 ([0-9a-hjkmnp-tv-z]{26})$/.exec(reply) ?? [];
  expect(eventId).not.toBe("");
  const [stored] = await storedIn(posthorn, "POSTHORN_EVENTS");
  expect(stored?.subject).toBe(hook.eventName);
  expect(stored?.headers).toMatchObject({ "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": eventId });
  expect(stored?.text).toContain(
    '"payload":{"@context":"http://schema.org","@type":"Order","orderNumber":12345678901234567890,"price":1.10}',
  );
  const event = JSON.parse(stored?.text ?? "") as { id: string; data: { mail: { envelope: { to: string[] } } } };
  expect(event.id).toBe(eventId);
  expect(event.data.mail.envelope.to).toEqual([`${hook.hookId.slice(0, 4)}…@localhost`]);
  for await (const message of subscription) expect(message.string()).toBe(stored?.text);
  await live.close();
});

test("the same mail again is acknowledged alike and stored once", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  const first = await relay.send({ to: hook.address, mail: orderMail("2") });
  const second = await relay.send({ to: hook.address, mail: orderMail("2") });
  expect(first).toMatch(/^250 /);
  expect(second).toBe(first);
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before + 1);
});

test("a mail without data is dead-lettered with the raw mail beside it", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const mail = "From: a@example.org\r\nSubject: hi\r\n\r\nJust words.\r\n";
  expect(await relay.send({ to: hook.address, mail })).toMatch(/^250 2\.0\.0 /);
  const letters = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  const letter = letters.at(-1);
  expect(letter?.subject).toBe("posthorn.dead.shop.kustomer.app.shop.order");
  const { reason, object } = JSON.parse(letter?.text ?? "") as { reason: { code: string }; object: string };
  expect(reason.code).toBe("nothing-extracted");
  expect(Buffer.from((await posthorn.daemon.storage.objects.getBlob(object)) ?? []).toString()).toBe(mail);
});

test("a long attachment is stored byte for byte under its hash, and the event names it", async () => {
  const hook = await posthorn.emailHook();
  const file = Buffer.from(Array.from({ length: 1_500_000 }, (_, index) => (index * 7_919) % 256));
  const mail = [
    "From: shop@example.org",
    "Message-ID: <long-attachment@example.org>",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: application/json",
    "",
    "1",
    "--b",
    "Content-Type: application/pdf",
    "Content-Disposition: attachment; filename=invoice.pdf",
    "Content-Transfer-Encoding: base64",
    "",
    file.toString("base64").replace(/.{76}/g, "$&\r\n"),
    "--b--",
    "",
  ].join("\r\n");
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ to: hook.address, mail })).toMatch(/^250 /);
  const stored = await storedIn(posthorn, "POSTHORN_EVENTS");
  const event = JSON.parse(stored.at(-1)?.text ?? "") as {
    data: { mail: { attachments: { filename: string; size: number; sha256: string; object: string }[] } };
  };
  const attachment = event.data.mail.attachments.find(({ filename }) => filename === "invoice.pdf");
  expect(attachment).toMatchObject({ size: file.length, sha256: createHash("sha256").update(file).digest("hex") });
  const object = await posthorn.daemon.storage.objects.getBlob(attachment?.object ?? "");
  expect(file.equals(object ?? new Uint8Array())).toBe(true);
});
