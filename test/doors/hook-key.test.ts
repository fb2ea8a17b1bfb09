import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// The shared secret of a mail hook: whose items count, and that it never reaches an event, wherever it stood.

const VARIABLE = "POSTHORN_SECRET_SHOP_MAIL";
const KEY = "s3cret-of-the-hook";

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { [VARIABLE]: KEY });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const script = (key: string, order: number) =>
  `<script type="application/json" data-kustomer-key="${key}">{"order":${order}}</script>`;

test("only items under the right key reach the event", async () => {
  const hook = await posthorn.emailHook({ key: `env:${VARIABLE}` });
  using relay = await posthorn.connectRelay();
  const page = `${script("wrong", 1)}${script(KEY, 2)}<script type="application/json">{"order":3}</script>`;
  const mail = `Message-ID: <1@example.org>\r\nContent-Type: text/html\r\n\r\n${page}\r\n`;
  expect(await relay.send({ to: hook.address, mail })).toMatch(/^250 /);
  const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "";
  const { data } = JSON.parse(text) as { data: { payload: unknown; items: { value: unknown }[] } };
  expect(data.payload).toEqual({ order: 2 });
  expect(data.items.map(({ value }) => value)).toEqual([{ order: 2 }]);
});

test("a key in a page, in its source as text, or in an attached page stays out of the event", async () => {
  const hook = await posthorn.emailHook({ include: ["text", "html", "headers"] });
  using relay = await posthorn.connectRelay();
  const mail = [
    "Message-ID: <2@example.org>",
    `X-Hook-Key: ${KEY}`,
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    script(KEY, 1),
    "--b",
    "Content-Type: text/html",
    "",
    script(KEY, 2),
    "--b",
    "Content-Type: text/html; name=a.html",
    "Content-Disposition: attachment; filename=a.html",
    "",
    script(KEY, 3),
    "--b--",
    "",
  ].join("\r\n");
  expect(await relay.send({ to: hook.address, mail })).toMatch(/^250 /);
  const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "";
  expect(text).not.toContain(KEY);
  expect(text).not.toContain(Buffer.from(script(KEY, 3)).toString("base64").slice(0, 60));
  const { data } = JSON.parse(text) as {
    data: { mail: { attachments: { content: string | null; object: string | null }[] } };
  };
  const [attachment] = data.mail.attachments;
  expect(attachment?.content).toBeNull();
  const kept = await posthorn.daemon.storage.objects.getBlob(attachment?.object ?? "");
  expect(Buffer.from(kept ?? []).toString()).toContain(script(KEY, 3));
});

test("451 4.3.5 while the variable that holds the key is not set: the relay keeps the mail", async () => {
  const hook = await posthorn.emailHook({ key: "env:POSTHORN_SECRET_SHOP_UNSET" });
  using relay = await posthorn.connectRelay();
  const mail = `Message-ID: <3@example.org>\r\nContent-Type: text/html\r\n\r\n${script(KEY, 1)}\r\n`;
  expect(await relay.send({ to: hook.address, mail })).toMatch(/^451 4\.3\.5 /);
});
