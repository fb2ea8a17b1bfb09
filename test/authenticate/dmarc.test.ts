import { afterAll, beforeAll, expect, test } from "vitest";

import { checkDmarc } from "../../src/authenticate/dmarc.ts";
import { DnsLookups } from "../../src/authenticate/dns-lookups.ts";
import type { DnsServer } from "../support/dns-server.ts";
import { startDnsServer } from "../support/dns-server.ts";

// Which domains belong to one owner is what the public suffix list says, with a policy record and without one.

const LIMITS = {
  timeoutMs: 9_000,
  cacheMs: 60_000,
  troubleMs: 5_000,
  cachedAnswers: 100,
  lookupsPerMail: 80,
  inFlight: 100,
};
let server: DnsServer;
let dns: DnsLookups;
beforeAll(async () => {
  server = await startDnsServer({
    "_dmarc.herokuapp.com": { TXT: ["v=DMARC1; p=reject"] },
    "_dmarc.shop.co.uk": { TXT: ["v=DMARC1; p=reject"] },
  });
  dns = new DnsLookups({ servers: [server.address], ...LIMITS });
});
afterAll(async () => {
  dns[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

async function proofOf(author: string, proved: string) {
  const lookup = dns.forMail(Date.now() + 20_000);
  const question = { headerFrom: [`a@${author}`], fromFields: 1 };
  const bySpf = await checkDmarc({ ...question, spfDomains: [proved], signatures: [] }, lookup);
  const byDkim = await checkDmarc({ ...question, spfDomains: [], signatures: [{ domain: proved }] }, lookup);
  expect([byDkim.dkimAligned, byDkim.aligned]).toEqual([bySpf.aligned, bySpf.aligned]);
  return bySpf.aligned;
}

test.each([
  ["github.io", "evil.github.io"],
  ["victim.github.io", "evil.github.io"],
  ["victim.github.io", "github.io"],
  ["co.uk", "evil.co.uk"],
  ["bank.co.uk", "evil.co.uk"],
  ["com", "evil.com"],
  ["shop.com", "com"],
  ["a.s3.amazonaws.com", "b.s3.amazonaws.com"],
  ["bank.kawasaki.jp", "evil.kawasaki.jp"],
  ["shop.example", "shop.example.evil.example"],
  ["shop.example", "evilshop.example"],
  ["localhost", "evil.localhost"],
  // With a policy record, whose owner forgot to say that the names below it belong to others.
  ["herokuapp.com", "evil.herokuapp.com"],
  ["victim.herokuapp.com", "evil.herokuapp.com"],
])("for %s a proof of %s is somebody else's", async (author, proved) => {
  expect(await proofOf(author, proved)).toBe("not-met");
});

test.each([
  ["github.io", "github.io"],
  ["shop.example", "mail.shop.example"],
  ["news.shop.example", "mail.shop.example"],
  ["mail.shop.example", "shop.example"],
  ["SHOP.example", "Mail.shop.EXAMPLE"],
  ["bank.co.uk", "mail.bank.co.uk"],
  ["city.kawasaki.jp", "mail.city.kawasaki.jp"],
  ["a.victim.github.io", "victim.github.io"],
  ["localhost", "localhost"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["shop.co.uk", "mail.shop.co.uk"],
])("for %s a proof of %s is its own", async (author, proved) => {
  expect(await proofOf(author, proved)).toBe("met");
});
