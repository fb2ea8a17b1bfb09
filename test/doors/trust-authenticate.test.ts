import { afterAll, beforeAll, expect, test } from "vitest";

import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { makeSigningKey, signed } from "../support/signed-mail.ts";

const SHOP = makeSigningKey("shop.example");
let nats: NatsServer;
let dns: DnsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  dns = await startDnsServer({
    ...SHOP.zone,
    "shop.example": { TXT: ["v=spf1 ip4:192.0.2.0/24 -all"] },
    "_dmarc.shop.example": { TXT: ["v=DMARC1; p=reject"] },
    "down.example": { fails: "servfail" },
    "_dmarc.down.example": { fails: "servfail" },
    "silent.example": { fails: "silence" },
    "_dmarc.silent.example": { fails: "silence" },
  });
  posthorn = await startTestDaemon(nats, {
    POSTHORN_DNS_SERVERS: dns.address,
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
    POSTHORN_AUTHSERV_IDS: "mx.hooks.example",
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

let mails = 0;
const mailFrom = (from: string, head = "") =>
  `${head}From: ${from}\r\nSubject: x\r\nMessage-ID: <${(mails += 1)}@shop.example>\r\nContent-Type: application/json\r\n\r\n{"n":${mails}}\r\n`;

/** A relay that tells of the client at `address`, unless that is its own. */
async function relayFor(address?: string) {
  const relay = await posthorn.connectRelay();
  if (address !== undefined) {
    expect(await relay.say(`XCLIENT ADDR=${address}`)).toMatch(/^220 /);
    expect(await relay.say("EHLO client.example")).toMatch(/^250/);
  }
  return relay;
}

async function newest(stream: "POSTHORN_EVENTS" | "POSTHORN_DEAD_LETTERS") {
  const text = (await storedIn(posthorn, stream)).at(-1)?.text ?? "{}";
  return JSON.parse(text) as {
    reason?: { code: string; detail: string };
    mail?: { authentication: Record<string, { result: string; reason?: string }> };
    data?: { mail: { authentication: Record<string, { result: string; reason?: string }> } };
  };
}

test("the event carries the verdicts about the client that the relay told of", async () => {
  const hook = await posthorn.emailHook();
  using relay = await relayFor("192.0.2.9");
  // Nobody demands the verdicts, so a mail waits for them for a moment only; what a slow machine looks up for the first one, the next one finds.
  const verdictsOfNext = async () => {
    const mail = await signed(mailFrom("orders@shop.example"), SHOP);
    expect(await relay.send({ from: "bounce@shop.example", to: hook.address, mail })).toMatch(/^250 2\.0\.0 /);
    return (await newest("POSTHORN_EVENTS")).data?.mail.authentication;
  };
  await expect.poll(verdictsOfNext).toMatchObject({
    spf: { result: "pass", domain: "shop.example" },
    dkim: { result: "pass", domain: "shop.example", aligned: true },
    dmarc: { result: "pass", domain: "shop.example" },
    arc: { result: "none" },
  });
});

test("a hook that demands dmarc publishes what is proved and keeps the rest as a dead letter", async () => {
  const hook = await posthorn.emailHook({ authenticate: "dmarc" });
  using good = await relayFor("192.0.2.9");
  await good.send({ from: "b@shop.example", to: hook.address, mail: mailFrom("orders@shop.example") });
  expect((await newest("POSTHORN_EVENTS")).data?.mail.authentication).toMatchObject({ dmarc: { result: "pass" } });
  using bad = await relayFor("198.51.100.1");
  const reply = await bad.send({ from: "b@shop.example", to: hook.address, mail: mailFrom("orders@shop.example") });
  expect(reply).toMatch(/^250 2\.0\.0 /);
  const letter = await newest("POSTHORN_DEAD_LETTERS");
  expect(letter.reason?.code).toBe("authentication-failed");
  expect(letter.reason?.detail).toContain("dmarc is demanded for shop.example; found spf=fail (shop.example)");
  expect(letter.mail?.authentication.spf?.result).toBe("fail");
});

test("a hook that demands dkim takes no SPF for it, and refuses with 550 5.7.26 when it says reject", async () => {
  const hook = await posthorn.emailHook({ authenticate: { require: "dkim", onFail: "reject" } });
  using relay = await relayFor("192.0.2.9");
  const unsigned = await relay.send({
    from: "b@shop.example",
    to: hook.address,
    mail: mailFrom("orders@shop.example"),
  });
  expect(unsigned).toMatch(/^550 5\.7\.26 /);
  const mail = await signed(mailFrom("orders@shop.example"), SHOP);
  expect(await relay.send({ from: "b@shop.example", to: hook.address, mail })).toMatch(/^250 2\.0\.0 /);
});

test("while DNS cannot say, a mail that has to be proved hears 451, and one that need not is taken", async () => {
  const demanding = await posthorn.emailHook({ authenticate: "dmarc" }, "kustomer.app.shop.demanding");
  using relay = await relayFor("192.0.2.9");
  const mail = mailFrom("orders@down.example");
  expect(await relay.send({ from: "b@down.example", to: demanding.address, mail })).toMatch(/^451 4\.7\.0 /);
  const easy = await posthorn.emailHook();
  expect(await relay.send({ from: "b@down.example", to: easy.address, mail })).toMatch(/^250 2\.0\.0 /);
  expect((await newest("POSTHORN_EVENTS")).data?.mail.authentication).toMatchObject({ spf: { result: "temperror" } });
});

test("a name server that never answers holds no mail up that nobody wants proved", async () => {
  const hook = await posthorn.emailHook();
  using relay = await relayFor("192.0.2.9");
  const reply = await relay.send({ from: "b@silent.example", to: hook.address, mail: mailFrom("a@silent.example") });
  expect(reply).toMatch(/^250 2\.0\.0 /);
  expect((await newest("POSTHORN_EVENTS")).data?.mail.authentication).toMatchObject({
    spf: { result: "temperror", reason: "not-finished" },
    dmarc: { result: "temperror", reason: "not-finished" },
  });
});

test("a sender cannot write its own verdict: not into the header, not below the relay's", async () => {
  const hook = await posthorn.emailHook({ authenticate: "dmarc" });
  const invented = "Authentication-Results: mx.hooks.example; spf=pass smtp.mailfrom=a@shop.example\r\n";
  const real = "Authentication-Results: mx.hooks.example; spf=fail smtp.mailfrom=a@shop.example\r\n";
  using relay = await relayFor();
  await relay.send({ to: hook.address, mail: mailFrom("orders@shop.example", real + invented) });
  expect((await newest("POSTHORN_DEAD_LETTERS")).reason?.code).toBe("authentication-failed");
  // Over a relay that is not trusted even the topmost one is the sender's own.
  await using stranger = await startTestDaemon(nats, {
    POSTHORN_DNS_SERVERS: dns.address,
    POSTHORN_AUTHSERV_IDS: "mx.hooks.example",
  });
  using direct = await stranger.connectRelay();
  await direct.send({ to: hook.address, mail: mailFrom("orders@shop.example", invented) });
  const letter = await newest("POSTHORN_DEAD_LETTERS");
  expect(letter.reason?.code).toBe("authentication-failed");
  expect(letter.mail?.authentication.spf).toMatchObject({ result: "none", reason: "internal-peer" });
});

test("several From fields and groups meet no policy that depends on From", async () => {
  const hook = await posthorn.emailHook({ senders: ["*@shop.example"] });
  using relay = await posthorn.connectRelay();
  for (const mail of [
    mailFrom("orders@shop.example", "From: orders@shop.example\r\n"),
    mailFrom("Team: orders@shop.example;"),
    mailFrom("orders@shop.example, x@evil.example"),
  ]) {
    expect(await relay.send({ to: hook.address, mail })).toMatch(/^250 /);
    expect((await newest("POSTHORN_DEAD_LETTERS")).reason?.code).toBe("sender-not-allowed");
  }
  const before = (await storedIn(posthorn, "POSTHORN_EVENTS")).length;
  await relay.send({ to: hook.address, mail: mailFrom('"Shop: orders;" <orders@shop.example>') });
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(before + 1);
});
