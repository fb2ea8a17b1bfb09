import { afterAll, beforeAll, expect, test } from "vitest";

import { DnsLookups } from "../../src/authenticate/dns-lookups.ts";
import { evaluateSpf } from "../../src/authenticate/spf.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";

// RFC 7208's limits of processing, one domain each. The whole suite of openspf runs in `npm run conformance`.

const chain = (length: number) =>
  Object.fromEntries(
    Array.from({ length }, (_, index) => [
      `c${index}.example`,
      { TXT: [index === length - 1 ? "v=spf1 ip4:192.0.2.1 -all" : `v=spf1 include:c${index + 1}.example -all`] },
    ]),
  );
const includes = (count: number) =>
  Array.from({ length: count }, (_, index) => `include:none${index}.limits.example`).join(" ");

let server: DnsServer;
let dns: DnsLookups;
beforeAll(async () => {
  server = await startDnsServer({
    ...chain(12),
    ...Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`none${index}.limits.example`, { TXT: ["v=spf1 ?all"] }]),
    ),
    "ten.example": { TXT: [`v=spf1 ${includes(10)} ip4:192.0.2.1 -all`] },
    "eleven.example": { TXT: [`v=spf1 ${includes(11)} ip4:192.0.2.1 -all`] },
    "loop.example": { TXT: ["v=spf1 include:loop.example -all"] },
    "turn.example": { TXT: ["v=spf1 redirect=back.example"] },
    "back.example": { TXT: ["v=spf1 redirect=turn.example"] },
    "twovoid.example": { TXT: ["v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 -all"] },
    "threevoid.example": { TXT: ["v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.1 -all"] },
    "two.example": { TXT: ["v=spf1 +all", "v=spf1 -all"] },
    "split.example": { TXT: [["v=spf1 ip4:192.0", ".2.1 -all"]] },
    "macro.example": { TXT: ["v=spf1 exists:%{i}.%{l}.list.%{d} -all"] },
    "192.0.2.1.joe.list.macro.example": { A: ["127.0.0.2"] },
    "manymx.example": {
      TXT: ["v=spf1 mx -all"],
      MX: Array.from({ length: 11 }, (_, index) => ({ priority: 1, exchange: `mx${index}.example` })),
    },
    "mx.example": { TXT: ["v=spf1 mx -all"], MX: [{ priority: 1, exchange: "host.example" }] },
    "host.example": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
    "alias.example": { CNAME: ["mx.example"] },
    "wrong.example": { TXT: ["v=spf1 ip4:192.0.2.1/33 -all"] },
    "down.example": { fails: "servfail" },
    "part.example": { TXT: ["v=spf1 include:down.example +all"] },
  });
  dns = new DnsLookups({
    servers: [server.address],
    timeoutMs: 3_000,
    cacheMs: 60_000,
    troubleMs: 1_000,
    cachedAnswers: 1_000,
    lookupsPerMail: 80,
    inFlight: 100,
  });
});
afterAll(async () => {
  dns[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

test.each([
  ["ten look-ups", "joe@ten.example", "pass"],
  ["eleven look-ups", "joe@eleven.example", "permerror"],
  ["a chain of ten includes", "joe@c1.example", "pass"],
  ["a chain of eleven", "joe@c0.example", "permerror"],
  ["an include of itself", "joe@loop.example", "permerror"],
  ["two redirects in a circle", "joe@turn.example", "permerror"],
  ["two look-ups without an answer", "joe@twovoid.example", "pass"],
  ["three look-ups without an answer", "joe@threevoid.example", "permerror"],
  ["two records", "joe@two.example", "permerror"],
  ["a record in two strings", "joe@split.example", "pass"],
  ["a macro that names the sender", "joe@macro.example", "pass"],
  ["a macro that names another one", "jim@macro.example", "fail"],
  ["a macro that makes no name that can be asked for", "bounce+joe=a.example@macro.example", "fail"],
  ["more mail exchangers than are looked at", "joe@manymx.example", "permerror"],
  ["a mail exchanger", "joe@mx.example", "pass"],
  ["an alias", "joe@alias.example", "pass"],
  ["a wrong record", "joe@wrong.example", "permerror"],
  ["no record", "joe@none.example", "none"],
  ["no domain", "joe@", "none"],
  ["a name server in trouble", "joe@down.example", "temperror"],
  ["an include whose name server is in trouble", "joe@part.example", "temperror"],
])("SPF with %s (%s) is %s", async (_what, from, result) => {
  const question = { from, helo: "helo.example", remoteAddress: "192.0.2.1" };
  expect((await evaluateSpf(question, dns.forMail(Date.now() + 20_000))).result).toBe(result);
});

test("one mail may cause so many look-ups and no more, and a name server that never answers is not waited for", async () => {
  using few = new DnsLookups({
    servers: [server.address],
    timeoutMs: 3_000,
    cacheMs: 1,
    troubleMs: 1,
    cachedAnswers: 10,
    lookupsPerMail: 3,
    inFlight: 10,
  });
  const lookup = few.forMail(Date.now() + 20_000);
  for (let i = 0; i < 3; i += 1) await expect(lookup("ten.example", "TXT")).resolves.toHaveLength(1);
  await expect(lookup("ten.example", "TXT")).rejects.toMatchObject({ code: "ELIMIT" });
  server.add({ "mute.example": { fails: "silence" } });
  await expect(few.forMail(Date.now() + 1)("mute.example", "TXT")).rejects.toMatchObject({ code: "ETIMEOUT" });
});
