import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// A hook's id is the only secret of a form or email hook: no string of ours in an event, dead letter or refused call holds one.

let nats: NatsServer;
let posthorn: TestDaemon;
let order: Hook;
let second: Hook;
let empty: Hook;
let form: Hook;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
  const include = ["text", "html", "headers"];
  [order, second, empty, form] = (await posthorn.install([
    { eventName: "kustomer.app.shop.order", type: "email", "x-posthorn": { include } },
    { eventName: "kustomer.app.shop.second", type: "email", "x-posthorn": { include } },
    { eventName: "kustomer.app.shop.senders", type: "email", "x-posthorn": { senders: ["*@nobody.example"] } },
    { eventName: "kustomer.app.shop.form", type: "form" },
  ])) as [Hook, Hook, Hook, Hook];
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** A mail that names an address of ours wherever mail clients, relays and lists put one. */
const mailTo = (id: string, body: string) =>
  [
    `Return-Path: <bounce+${id}=hooks.example.org@lists.example.org>`,
    `Delivered-To: ${id}@hooks.example.org`,
    `Received: from a.example.org by mx.example.org with ESMTP for <${id.toUpperCase()}+x@hooks.example.org>;`,
    "\tTue, 24 Nov 2026 10:00:00 +0100",
    `From: "via ${id}@hooks.example.org" <a@example.org>`,
    `To: "${id}@hooks.example.org" <${id}@hooks.example.org>`,
    `Cc: =?utf-8?q?${id}=40hooks.example.org?= <"${id}"@hooks.example.org>`,
    `Reply-To: "${id.toUpperCase()}" <u+${id}=hooks.example.org@example.org>`,
    `Subject: Order for ${id}@hooks.example.org`,
    `Message-ID: <${id}.1@example.org>`,
    `In-Reply-To: <first.${id}@example.org>`,
    `References: <${id}@example.org> <other@example.org>`,
    `Auto-Submitted: no; by=${id}`,
    `List-Unsubscribe: <mailto:leave-${id}%40hooks.example.org@lists.example.org>`,
    `X-${id}: 1`,
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    `Write to ${id}@hooks.example.org`,
    "--b",
    "Content-Type: application/json",
    `Content-Disposition: attachment; filename="${id}.json"`,
    "",
    body,
    "--b--",
    "",
  ].join("\r\n");

interface Mail {
  readonly text?: string;
  readonly [name: string]: unknown;
}

/** The entry without what is the sender's own: payload, items, text and html. */
function oursOf(text: string): string {
  const { data, mail, ...rest } = JSON.parse(text) as { data?: { mail: Mail }; mail?: Mail; reason?: object };
  const { text: body, html, ...about } = data?.mail ?? mail ?? {};
  expect([body, html]).toBeDefined();
  return JSON.stringify({ ...rest, about });
}

test("an event holds the ids of no hook that its mail was sent to, in any case, but for the sender's own text and data", async () => {
  using relay = await posthorn.connectRelay();
  const id = order.hookId;
  const mail = mailTo(id, JSON.stringify({ case: 76, id }));
  const from = `bounce-${second.hookId}=hooks.example.org@example.org`;
  expect(
    await relay.send({ from, to: [`${id}+${second.hookId}@localhost`, `"${second.hookId}"@localhost`], mail }),
  ).toMatch(/^250 /);
  const stored = await storedIn(posthorn, "POSTHORN_EVENTS");
  expect(stored.map(({ subject }) => subject)).toEqual(["kustomer.app.shop.order", "kustomer.app.shop.second"]);
  const cut = `${id.slice(0, 4)}…`;
  for (const { text } of stored) {
    const ours = oursOf(text).toLowerCase();
    expect(ours).not.toContain(id);
    expect(ours).not.toContain(second.hookId);
    expect(JSON.parse(text)).toMatchObject({
      subject: `Order for ${cut}@hooks.example.org`,
      data: {
        payload: { case: 76, id },
        items: [{ value: { case: 76, id } }],
        mail: {
          text: `Write to ${id}@hooks.example.org`,
          from: { name: `via ${cut}@hooks.example.org`, address: "a@example.org" },
          to: [{ name: `${cut}@hooks.example.org`, address: `${cut}@hooks.example.org` }],
          subject: `Order for ${cut}@hooks.example.org`,
          messageId: `<${cut}.1@example.org>`,
          inReplyTo: `<first.${cut}@example.org>`,
          references: [`<${cut}@example.org>`, "<other@example.org>"],
          envelope: { from: `bounce-${second.hookId.slice(0, 4)}…=hooks.example.org@example.org` },
        },
      },
    });
  }
});

test("a dead letter holds none either, whether the mail could be read or not", async () => {
  using relay = await posthorn.connectRelay();
  const id = empty.hookId;
  const deep = `Content-Type: multipart/mixed; boundary=b0\r\n\r\n${Array.from({ length: 60 }, (_, n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary=b${n + 1}\r\n\r\n`).join("")}`;
  const from = `"${id}"@example.org`;
  const mails = [mailTo(id, "{}").replace("<a@example.org>", `<${id}@example.org>`), deep];
  for (const mail of mails) expect(await relay.send({ from, to: `${id}@localhost`, mail })).toMatch(/^250 /);
  const letters = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  expect(letters.map(({ text }) => (JSON.parse(text) as { reason: { code: string } }).reason.code)).toEqual([
    "sender-not-allowed",
    "limit-exceeded",
  ]);
  for (const { text } of letters) expect(oursOf(text).toLowerCase()).not.toContain(id);
});

test("a request's event and dead letter hold the id neither in headers nor in the query, whatever it is part of", async () => {
  const id = form.hookId;
  const query = new URLSearchParams({ [`next-${id}`]: "1", back: `/v1/hooks/form/${id.toUpperCase()}` });
  const post = (body: FormData) =>
    fetch(`http://${posthorn.daemon.http.address}/v1/hooks/form/${id}?${query.toString()}`, {
      method: "POST",
      body,
      headers: {
        "x-original-uri": `/v1/hooks/form/${id}`,
        [`x-${id}`]: "1",
        "x-to": `u+${id}=hooks.example@a.example`,
      },
    });
  const fields = new FormData();
  fields.append("n", id);
  fields.append("file", new Blob(["x"]), `${id}.txt`);
  expect((await post(fields)).status).toBe(202);
  fields.append("_gotcha", "x");
  expect((await post(fields)).status).toBe(202);
  const event = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "";
  const { data } = JSON.parse(event) as { data: { payload: unknown; http: unknown; files: unknown } };
  expect(data.payload).toEqual({ n: id });
  const letter = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).at(-1)?.text ?? "";
  for (const ours of [JSON.stringify([data.http, data.files]), letter]) {
    expect(ours).toContain(`${id.slice(0, 4)}…`);
    expect(ours.toLowerCase()).not.toContain(id);
  }
});

test("the trace of refused calls keeps no id of the envelope's sender or recipient", async () => {
  using relay = await posthorn.connectRelay();
  const id = order.hookId;
  for (const from of [`${id}@example.org`, `b+${id}=hooks.example.org@example.org`, `"${id}"@example.org`]) {
    expect(await relay.say(`MAIL FROM:<${from}>`)).toMatch(/^250 /);
    expect(await relay.say(`RCPT TO:<${id}@elsewhere.example>`)).toMatch(/^550 5\.7\.1 /);
    await relay.say("RSET");
  }
  await expect.poll(async () => (await storedIn(posthorn, "POSTHORN_REFUSED")).length).toBe(3);
  const refused = (await storedIn(posthorn, "POSTHORN_REFUSED")).map(({ text }) => text).join("\n");
  expect(refused).toContain(`${id.slice(0, 4)}…`);
  expect(refused.toLowerCase()).not.toContain(id);
});
