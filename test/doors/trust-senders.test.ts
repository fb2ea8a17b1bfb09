import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "..", "..", "src", "main.ts");

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

let mails = 0;
function mail(head: readonly string[], body = `{"n":${(mails += 1)}}`): string {
  const type = body.startsWith("{") ? "application/json" : "text/plain";
  const own = head.some((line) => /^content-type:/i.test(line)) ? [] : [`Content-Type: ${type}`];
  return [...head, `Message-ID: <${(mails += 1)}@example.org>`, ...own, "", body, ""].join("\r\n");
}

interface Letter {
  readonly reason: { readonly code: string; readonly detail: string };
  readonly mail: { readonly autoSubmitted: string | null };
}

async function newestLetter(): Promise<Letter> {
  return JSON.parse((await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).at(-1)?.text ?? "{}") as Letter;
}

async function newestEvent() {
  const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "{}";
  return JSON.parse(text) as { data: { mail: { autoSubmitted: string | null; envelope: { from: string } } } };
}

test("Gmail's question comes before every policy, is kept for a person, and stands first in the list", async () => {
  const hook = await posthorn.emailHook({ senders: ["*@shop.example"], automatic: "dead-letter" });
  using relay = await posthorn.connectRelay();
  const question = mail(
    ["From: Gmail Team <forwarding-noreply@google.com>", "Subject: (#728394651) Gmail Forwarding Confirmation"],
    "To allow it open https://mail-settings.google.com/mail/vf-%5BANG%5D-abc",
  );
  expect(await relay.send({ from: "x@google.com", to: hook.address, mail: question })).toMatch(/^250 /);
  expect((await newestLetter()).reason).toMatchObject({ code: "forwarding-confirmation" });
  await relay.send({ to: hook.address, mail: mail(["From: joe@evil.example"]) });
  expect((await newestLetter()).reason.code).toBe("sender-not-allowed");
  const env = { ...process.env, POSTHORN_NATS_URL: nats.url };
  const { stdout } = await run(process.execPath, [MAIN, "dead", "list"], { env });
  expect(stdout.split("\n")[0]).toContain(
    "Gmail asks whether mail may be forwarded here; its code is 728394651; open https://mail-settings.google.com/mail/vf-",
  );
  const listed = await run(process.execPath, [MAIN, "dead", "list", "--json"], { env });
  expect((JSON.parse(listed.stdout) as Letter[])[0]?.reason.code).toBe("forwarding-confirmation");
});

test.each([
  ["the null sender", "", ["From: MAILER-DAEMON@example.org"], "auto-replied"],
  [
    "an out-of-office reply",
    "a@example.org",
    ["From: a@example.org", "Auto-Submitted: auto-replied (vacation)"],
    "auto-replied",
  ],
  [
    "a delivery report",
    "",
    ["From: MAILER-DAEMON@x.example", "Content-Type: multipart/report; report-type=delivery-status; boundary=b"],
    "auto-replied",
  ],
  ["a list", "list-bounces@example.org", ["From: a@example.org", "List-Id: <l.example.org>"], "auto-generated"],
  [
    "what generated itself",
    "a@example.org",
    ["From: a@example.org", "Auto-Submitted: auto-generated"],
    "auto-generated",
  ],
])("%s is marked, and a dead letter where the hook says so", async (_name, from, head, marked) => {
  const report = '--b\r\nContent-Type: application/json\r\n\r\n{"report":true}\r\n--b--';
  const body = () => (head.some((line) => line.includes("multipart")) ? report : undefined);
  const published = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ from, to: published.address, mail: mail(head, body()) })).toMatch(/^250 /);
  const { autoSubmitted, envelope } = (await newestEvent()).data.mail;
  expect(autoSubmitted).toBe(marked);
  expect(envelope.from).toBe(from);
  const kept = await posthorn.emailHook({ automatic: "dead-letter" }, "kustomer.app.shop.kept");
  expect(await relay.send({ from, to: kept.address, mail: mail(head, body()) })).toMatch(/^250 /);
  expect((await newestLetter()).reason.code).toBe("automatic");
});

test.each([
  ["SRS", "SRS0=HHH=TT=shop.example=orders@forwarder.example"],
  ["VERP", "bounces+orders=hooks.example@list.example"],
  ["BATV", "prvs=3520a3be4a=orders@shop.example"],
  ["a quoted local part", '"orders of the shop"@shop.example'],
])("an envelope sender rewritten by %s arrives as it was sent", async (_name, from) => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ from, to: hook.address, mail: mail(["From: a@example.org"]) })).toMatch(/^250 /);
  expect((await newestEvent()).data.mail.envelope.from).toBe(from);
});

test("a mail needs the hook's key where it has one, and no other opens it", async () => {
  const variable = "POSTHORN_SECRET_SHOP_MAIL";
  await using keyed = await startTestDaemon(nats, { [variable]: "s3cret-of-the-hook" });
  const hook = await keyed.emailHook({ key: `env:${variable}` });
  using relay = await keyed.connectRelay();
  for (const wrong of [[], ["X-Hook-Key: s3cret-of-the-hooK"], ["X-Hook-Key: s3cret"]]) {
    await relay.send({ to: hook.address, mail: mail(["From: a@example.org", ...wrong]) });
    expect((await newestLetter()).reason.code).toBe("key-mismatch");
  }
  const before = (await storedIn(keyed, "POSTHORN_EVENTS")).length;
  await relay.send({ to: hook.address, mail: mail(["From: a@example.org", "X-Hook-Key: s3cret-of-the-hook"]) });
  const events = await storedIn(keyed, "POSTHORN_EVENTS");
  expect(events).toHaveLength(before + 1);
  expect(events.at(-1)?.text).not.toContain("s3cret-of-the-hook");
});
