import { createTransport } from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { startOpenDkim } from "../support/opendkim.ts";
import { startPostfix } from "../support/postfix.ts";
import { connectRelay } from "../support/relay.ts";
import { makeSigningKey } from "../support/signed-mail.ts";

// Signatures of two other hands than our own: OpenDKIM behind Postfix, and nodemailer. Both are held against `dkim`.

const PATIENCE_MS = 60_000;
const KEY = makeSigningKey("shop.example");
let nats: NatsServer;
let dns: DnsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  dns = await startDnsServer({ ...KEY.zone, "_dmarc.shop.example": { TXT: ["v=DMARC1; p=reject; adkim=s"] } });
  posthorn = await startTestDaemon(nats, {
    POSTHORN_MAIL_DOMAIN: "hooks.example",
    POSTHORN_DNS_SERVERS: dns.address,
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const smtpPort = () =>
  posthorn.daemon.mail.doors
    .find(({ name }) => name === "smtp")
    ?.address.split(":")
    .at(-1) ?? "";

async function authenticationOf(count: number): Promise<unknown> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    const events = await storedIn(posthorn, "POSTHORN_EVENTS");
    if (events.length >= count)
      return (JSON.parse(events.at(-1)?.text ?? "{}") as { data: { mail: { authentication: unknown } } }).data.mail
        .authentication;
    if (Date.now() > deadline) {
      const letters = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
      throw new Error(`waited in vain for the event: ${letters.at(-1)?.text ?? "no dead letter"}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const PASSED = { dkim: { result: "pass", domain: "shop.example", aligned: true }, dmarc: { result: "pass" } };

test("what OpenDKIM signed in Postfix holds after Postfix has handed it on", { timeout: 240_000 }, async () => {
  await using signer = await startOpenDkim(KEY);
  await using postfix = await startPostfix("hooks.example", `smtp:[127.0.0.1]:${smtpPort()}`, {
    smtpd_milters: signer.milter,
    milter_default_action: "tempfail",
    smtp_send_xforward_command: "yes",
  });
  const hook = await posthorn.emailHook({ authenticate: "dkim" });
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  using relay = await connectRelay({ host: "127.0.0.1", port: postfix.port }, { patienceMs: PATIENCE_MS });
  const mail = [
    "From: Shop <orders@shop.example>",
    `To: ${hook.hookId}@hooks.example`,
    "Subject: an order",
    "Date: Fri, 1 Mar 2024 10:00:00 +0000",
    "Message-ID: <1@shop.example>",
    "Content-Type: application/json",
    "",
    '{"by": "OpenDKIM"}',
    "",
  ].join("\r\n");
  expect(await relay.send({ to: `${hook.hookId}@hooks.example`, mail })).toMatch(/^250 /);
  expect(await authenticationOf(before + 1)).toMatchObject(PASSED);
});

test("what nodemailer signed holds", async () => {
  const hook = await posthorn.emailHook({ authenticate: "dkim" });
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  const transport = createTransport({
    host: "127.0.0.1",
    port: Number(smtpPort()),
    ignoreTLS: true,
    dkim: { domainName: KEY.domain, keySelector: KEY.selector, privateKey: KEY.pem },
  });
  await transport.sendMail({
    from: "Shop <orders@shop.example>",
    to: `${hook.hookId}@hooks.example`,
    subject: "Grüße",
    text: "an order",
    attachments: [{ filename: "order.json", content: '{"by":"nodemailer"}' }],
  });
  transport.close();
  expect(await authenticationOf(before + 1)).toMatchObject(PASSED);
});
