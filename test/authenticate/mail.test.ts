import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { DnsLookups } from "../../src/authenticate/dns-lookups.ts";
import type { AuthenticationRules, MailToAuthenticate, PendingAuthentication } from "../../src/authenticate/mail.ts";
import { authenticateMail } from "../../src/authenticate/mail.ts";
import { Remembered } from "../../src/lib/remembered.ts";
import type { MailHeader } from "../../src/model/mail-header.ts";
import type { Authentication } from "../../src/model/verdicts.ts";
import { readHeaders } from "../../src/parse/headers.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { makeSigningKey, sealed, signed } from "../support/signed-mail.ts";

const SHOP = makeSigningKey("shop.example");
const SHOP_ED25519 = makeSigningKey("shop.example", "ed25519", "ed");
const MAILER = makeSigningKey("mail.shop.example");
const EVIL = makeSigningKey("evil.example");
const LIST = makeSigningKey("list.example");
const LIMITS = {
  timeoutMs: 9_000,
  cacheMs: 60_000,
  troubleMs: 5_000,
  cachedAnswers: 100,
  lookupsPerMail: 80,
  inFlight: 100,
};

const faults: unknown[] = [];
let server: DnsServer;
let dns: DnsLookups;
beforeAll(async () => {
  server = await startDnsServer({
    ...SHOP.zone,
    ...SHOP_ED25519.zone,
    ...MAILER.zone,
    ...EVIL.zone,
    ...LIST.zone,
    "shop.example": { TXT: ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"] },
    "_dmarc.shop.example": { TXT: ["v=DMARC1; p=reject"] },
    "strict.example": { TXT: ["v=spf1 ip4:192.0.2.1 -all"] },
    "_dmarc.strict.example": { TXT: ["v=DMARC1; p=reject; aspf=s; adkim=s"] },
    "bare.example": { TXT: ["v=spf1 ip4:192.0.2.0/24 -all"] },
    "evil.example": { TXT: ["v=spf1 +all"] },
    "down.example": { fails: "servfail" },
    "_dmarc.down.example": { fails: "servfail" },
    "s1._domainkey.down.example": { fails: "servfail" },
    "mute.example": { fails: "silence" },
    "_dmarc.mute-policy.example": { fails: "silence" },
  });
  dns = new DnsLookups({ servers: [server.address], ...LIMITS });
});
afterAll(async () => {
  dns[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

afterEach(() => expect(faults.splice(0)).toEqual([]));

const mailFrom = (from: string, body = "hello\r\n") =>
  `From: ${from}\r\nTo: a@hooks.example\r\nSubject: x\r\nDate: Fri, 1 Mar 2024 10:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n\r\n${body}`;

const look = (...asked: Parameters<typeof begin>): Promise<Authentication> => begin(...asked).whole;

function begin(
  mail: string,
  options: Partial<MailToAuthenticate["envelope"]> & {
    readonly peer?: MailToAuthenticate["peer"];
    readonly authservIds?: readonly string[];
    readonly policies?: AuthenticationRules["policies"];
    readonly header?: MailHeader;
  } = {},
): PendingAuthentication {
  const { peer = "stranger", authservIds = [], policies = new Remembered(10), header, ...envelope } = options;
  return authenticateMail(
    {
      bytes: Buffer.from(mail),
      ...(header && { header }),
      envelope: { from: "bounce@shop.example", helo: "mx.shop.example", remoteAddress: "192.0.2.7", ...envelope },
      peer,
    },
    { dns, authservIds, policies, onFault: (error) => faults.push(error) },
    Date.now() + 20_000,
  );
}

test("an address that the domain's record lists passes SPF, and so DMARC; IPv6 and mapped IPv4 too", async () => {
  for (const remoteAddress of ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"]) {
    const { verdicts, proofs, authorDomain } = await look(mailFrom("Shop <orders@shop.example>"), { remoteAddress });
    expect(verdicts.spf).toMatchObject({ result: "pass", domain: "shop.example", scope: "mailfrom" });
    expect(verdicts.dmarc).toEqual({ result: "pass", domain: "shop.example", policy: "reject" });
    expect(proofs).toEqual({ dkim: "not-met", dmarc: "met" });
    expect(authorDomain).toBe("shop.example");
  }
});

test("an address that is not listed fails SPF and DMARC", async () => {
  const { verdicts, proofs } = await look(mailFrom("orders@shop.example"), { remoteAddress: "198.51.100.1" });
  expect(verdicts.spf.result).toBe("fail");
  expect(verdicts.dmarc.result).toBe("fail");
  expect(proofs).toEqual({ dkim: "not-met", dmarc: "not-met" });
});

test("the null sender is judged by its HELO name", async () => {
  const { verdicts } = await look(mailFrom("orders@shop.example"), { from: "", helo: "shop.example" });
  expect(verdicts.spf).toMatchObject({ result: "pass", domain: "shop.example", scope: "helo" });
});

test("peers on loopback, in private networks and on Unix sockets get SPF none without a look-up", async () => {
  for (const remoteAddress of ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.31.0.1", "::1", "fd00::1", "fe80::1", ""]) {
    const { verdicts } = await look(mailFrom("orders@shop.example"), { remoteAddress });
    expect(verdicts.spf).toMatchObject({ result: "none", reason: "internal-peer" });
  }
});

test("a signature that holds passes, with RSA and Ed25519, and is aligned from a subdomain too", async () => {
  for (const key of [SHOP, SHOP_ED25519, MAILER]) {
    const mail = await signed(mailFrom("orders@shop.example"), key);
    const { verdicts, proofs } = await look(mail, { remoteAddress: "198.51.100.1" });
    expect(verdicts.dkim).toMatchObject({ result: "pass", domain: key.domain, aligned: true });
    expect(proofs).toEqual({ dkim: "met", dmarc: "met" });
  }
});

test("one changed byte of the body breaks the signature", async () => {
  const mail = (await signed(mailFrom("orders@shop.example"), SHOP)).replace("hello", "hellO");
  const { verdicts, proofs } = await look(mail, { remoteAddress: "198.51.100.1" });
  expect(verdicts.dkim).toMatchObject({ domain: "shop.example", aligned: false });
  expect(verdicts.dkim.result).not.toBe("pass");
  expect(proofs.dkim).toBe("not-met");
});

test("a signature over part of the body does not pass: what was added could be anybody's", async () => {
  const mail = await signed(mailFrom("orders@shop.example"), SHOP, { maxBodyLength: 3 });
  const { verdicts, proofs } = await look(mail, { remoteAddress: "198.51.100.1" });
  expect(verdicts.dkim.result).toBe("policy");
  expect(proofs).toEqual({ dkim: "not-met", dmarc: "not-met" });
});

test("a good signature and a good SPF of somebody else prove nothing for the author", async () => {
  const mail = await signed(mailFrom("orders@shop.example"), EVIL);
  const { verdicts, proofs } = await look(mail, { from: "x@evil.example", remoteAddress: "198.51.100.1" });
  expect(verdicts.spf.result).toBe("pass");
  expect(verdicts.dkim).toMatchObject({ result: "pass", domain: "evil.example", aligned: false });
  expect(verdicts.dmarc.result).toBe("fail");
  expect(proofs).toEqual({ dkim: "not-met", dmarc: "not-met" });
});

test("strict alignment does not take a subdomain", async () => {
  const { verdicts } = await look(mailFrom("a@mail.strict.example"), {
    from: "b@strict.example",
    remoteAddress: "192.0.2.1",
  });
  expect(verdicts).toMatchObject({ spf: { result: "pass" }, dmarc: { result: "fail" } });
});

test("a domain without a DMARC record has no verdict, but its aligned mail is proved", async () => {
  const { verdicts, proofs } = await look(mailFrom("a@bare.example"), { from: "b@bare.example" });
  expect(verdicts.dmarc.result).toBe("none");
  expect(proofs).toEqual({ dkim: "not-met", dmarc: "met" });
  const other = await look(mailFrom("a@other.example"), { from: "b@bare.example" });
  expect(other.proofs.dmarc).toBe("not-met");
});

test("several From fields and several author domains are nobody's, whatever passes", async () => {
  const twice = `From: x@evil.example\r\n${mailFrom("orders@shop.example")}`;
  for (const mail of [twice, mailFrom("a@shop.example, b@evil.example"), mailFrom("nobody")]) {
    const { verdicts, proofs, authorDomain } = await look(mail);
    expect(verdicts.dmarc).toMatchObject({ result: "permerror", reason: "not-one-author" });
    expect(proofs).toEqual({ dkim: "not-met", dmarc: "not-met" });
    expect(authorDomain).toBeNull();
  }
});

test("the fields that count are those that the mail was read by", async () => {
  // The reader passes over empty lines that a relay left on top; for a second reader the header would end there.
  const mail = `\r\n${mailFrom("orders@shop.example")}`;
  const { fields, bodyStart } = readHeaders(Buffer.from(mail), 2, mail.length);
  const header = { fields, bodyStart, isTooLong: false };
  expect((await look(mail, { header })).authorDomain).toBe("shop.example");
  expect((await look(mail)).authorDomain).toBeNull();
});

test("DNS trouble is temperror and proves neither this nor that", async () => {
  const key = makeSigningKey("down.example");
  const { verdicts, proofs } = await look(await signed(mailFrom("a@down.example"), key), { from: "b@down.example" });
  expect(verdicts).toMatchObject({ spf: { result: "temperror" }, dkim: { result: "temperror" } });
  expect(proofs).toEqual({ dkim: "unknown", dmarc: "unknown" });
});

test("more signatures than anybody needs are not looked at: each costs a pass over the body", async () => {
  const one = "DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=s1; h=from; bh=x; b=y\r\n";
  const { verdicts, proofs } = await look(one.repeat(1_000) + mailFrom("orders@shop.example"));
  expect(verdicts.dkim).toMatchObject({ result: "policy", reason: "too-many" });
  expect(proofs).toEqual({ dkim: "not-met", dmarc: "not-met" });
});

test("a trusted relay's own verdict counts instead of a second check of its address", async () => {
  const relayed = `Authentication-Results: mx.hooks.example; spf=pass smtp.mailfrom=bounce@shop.example\r\n${mailFrom("orders@shop.example")}`;
  const options = { remoteAddress: "198.51.100.9", authservIds: ["mx.hooks.example"] } as const;
  const believed = await look(relayed, { ...options, peer: "relay" });
  expect(believed.verdicts.spf).toEqual({ result: "pass", domain: "shop.example", by: "mx.hooks.example" });
  expect(believed.proofs.dmarc).toBe("met");
  const invented = await look(relayed, { ...options, peer: "stranger" });
  expect(invented.verdicts.spf.result).toBe("fail");
  const silent = await look(mailFrom("orders@shop.example"), { ...options, peer: "relay" });
  expect(silent.verdicts.spf).toMatchObject({ result: "none", reason: "behind-relay" });
  const client = await look(mailFrom("orders@shop.example"), {
    ...options,
    remoteAddress: "192.0.2.1",
    peer: "relayed-client",
  });
  expect(client.verdicts.spf.result).toBe("pass");
});

test("a chain whose last sealer is listed vouches for what it saw pass; anybody else's does not", async () => {
  // A list changed the body, so the author's signature is broken by the time the mail comes here.
  const broken = (await signed(mailFrom("orders@shop.example"), SHOP)).replace("hello", "hello, list");
  const mail = await sealed(broken, LIST, "list.example; dmarc=pass header.from=shop.example");
  const options = { from: "bounce@list.example", remoteAddress: "198.51.100.1" };
  const listed = await look(mail, { ...options, authservIds: ["list.example"] });
  expect(listed.verdicts.arc).toMatchObject({ result: "pass", domain: "list.example", instance: 1 });
  expect(listed.proofs.dmarc).toBe("met");
  expect((await look(mail, options)).proofs.dmarc).toBe("not-met");
  const changed = await look(mail.replace("hello, list", "hello, evil"), { ...options, authservIds: ["list.example"] });
  expect(changed.verdicts.arc.result).toBe("fail");
  expect(changed.proofs.dmarc).toBe("not-met");
});

test("a resolver that answers nobody for a second is taken for dead, and with its next answer for alive", async () => {
  const { address } = server;
  using lookups = new DnsLookups({ servers: [address], ...LIMITS });
  const lookup = lookups.forMail(Date.now() + 20_000);
  server.add(Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`mute-${at}.example`, { fails: "silence" }])));
  const asked = Array.from({ length: 25 }, (_, at) => lookup(`mute-${at}.example`, "TXT").catch(() => undefined));
  expect(lookups.isDown).toBe(false);
  await expect.poll(() => lookups.isDown, { timeout: 5_000 }).toBe(true);
  await lookup("shop.example", "TXT");
  expect(lookups.isDown).toBe(false);
  lookups[Symbol.dispose]();
  await Promise.all(asked);
});

test("the same question is asked once", async () => {
  await look(mailFrom("orders@shop.example"));
  const before = server.questions.length;
  await look(mailFrom("orders@shop.example"));
  expect(server.questions.length).toBe(before);
});

test.each([
  ["SPF", "a@mute.example", { from: "b@mute.example" }],
  ["DMARC", "a@mute-policy.example", { remoteAddress: "127.0.0.1" }],
])(
  "a mail joins a question without an answer (%s) for as long as is left of the first one's patience",
  async (_, from, envelope) => {
    const policies = new Remembered<never>(10);
    const first = begin(mailFrom(from), { ...envelope, policies });
    // Longer than anybody waits for what is only reported.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(first.patienceMs).toBeGreaterThan(0);
    const second = begin(mailFrom(from), { ...envelope, policies });
    await expect.poll(() => second.patienceMs, { timeout: 5_000 }).toBe(0);
    expect(second.soFar().verdicts.dmarc).toMatchObject({ result: "temperror", reason: "not-finished" });
  },
);
