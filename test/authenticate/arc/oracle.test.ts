import { hash, sign } from "node:crypto";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { claimOf } from "../../../src/authenticate/arc/claim.ts";
import type { Lookup } from "../../../src/authenticate/dns-lookups.ts";
import { mailauthReading } from "../../support/mailauth-oracle.ts";
import { readingOf } from "../../support/signature-reading.ts";
import { makeSigningKey, sealed } from "../../support/signed-mail.ts";

// Our ARC against mailauth's over chains of several mediators, whole and damaged.

const KEYS = [makeSigningKey("one.example"), makeSigningKey("two.example", "ed25519"), makeSigningKey("three.example")];
const MAIL = "From: a@shop.example\r\nSubject: x\r\n\r\nhello\r\n";
const RESULTS = [
  "one.example; dmarc=pass header.from=shop.example",
  'two.example; spf=fail; dmarc=fail (p=reject; x) header.from="shop.example" policy.dmarc=reject',
  "THREE.example; dkim=pass header.d=shop.example; dmarc=none; dmarc=pass header.from=b.example",
  "one.example; none",
];

const lookup: Lookup = (name) => {
  for (const { zone } of KEYS) {
    const entry = zone[name] as { readonly TXT?: readonly string[] } | undefined;
    if (entry?.TXT !== undefined) return Promise.resolve([entry.TXT]);
  }
  return Promise.reject(Object.assign(new Error(name), { code: "ENOTFOUND" }));
};

/** A mail that went through `hops` mediators; each adds a line, so that only the newest signature holds. */
async function chained(hops: number, first = 0): Promise<string> {
  let mail = MAIL;
  for (let hop = 0; hop < hops; hop += 1) {
    const key = KEYS[(first + hop) % KEYS.length] ?? makeSigningKey("x.example");
    mail = await sealed(
      `${mail}by ${hop}\r\n`,
      key,
      RESULTS[(first + hop) % RESULTS.length] ?? "",
      hop === 0 ? "none" : "pass",
    );
  }
  return mail;
}

/** The fields of a mail with their folds, and the rest. */
function taken(mail: string): { fields: string[]; rest: string } {
  const end = mail.indexOf("\r\n\r\n") + 2;
  return { fields: mail.slice(0, end).split(/(?<=\r\n)(?![ \t])/), rest: mail.slice(end) };
}

const DAMAGES: Readonly<Record<string, (mail: string, at: number) => string>> = {
  nothing: (mail) => mail,
  "folded and spaced otherwise": (mail) => mail.replace(/^(ARC-Seal|ARC-Authentication-Results): /gm, "$1 :\r\n\t"),
  "one field less": (mail, at) => {
    const { fields, rest } = taken(mail);
    return fields.toSpliced(at % fields.length, 1).join("") + rest;
  },
  "one field twice": (mail, at) => {
    const { fields, rest } = taken(mail);
    return fields.toSpliced(at % fields.length, 0, fields[at % fields.length] ?? "").join("") + rest;
  },
  "fields in another order": (mail, at) => {
    const { fields, rest } = taken(mail);
    const cut = at % fields.length;
    return [...fields.slice(cut), ...fields.slice(0, cut)].join("") + rest;
  },
  "another instance": (mail, at) =>
    mail.replace(/\bi=1;/g, (found, offset: number) => (offset % 3 === at % 3 ? "i=2;" : found)),
  "an instance out of range": (mail) => mail.replace(/\bi=1;/, "i=51;"),
  "no instance": (mail) => mail.replace(/(ARC-Seal: )i=1;/, "$1"),
  "another chain status": (mail) => mail.replace("cv=none", "cv=pass"),
  "a failed chain": (mail) => mail.replace("cv=pass", "cv=fail"),
  "other findings": (mail) => mail.replace("dmarc=fail", "dmarc=pass"),
  "another body": (mail) => mail.replace("hello", "hellO"),
  "another seal": (mail, at) =>
    mail.replace(/(ARC-Seal:[^]*?\bb=)(..)/, (_, head: string) => head + "abcd".slice(at % 3, (at % 3) + 2)),
  "a seal that lists fields": (mail) => mail.replace("cv=none;", "cv=none; h=from;"),
  "a seal over nothing we know": (mail) => mail.replace(/(ARC-Seal: i=1;) a=[^;]*;/, "$1 a=rsa-sha1;"),
  "a signature over a seal": (mail) => mail.replace(/(ARC-Message-Signature:[^]*?h=)/, "$1ARC-Seal:"),
  "a key that nobody has": (mail) => mail.replace(/(ARC-Seal:[^]*?)d=one\.example/, "$1d=four.example"),
};

test(
  "a chain gets the verdict that mailauth gives it, whatever happened to the mail",
  { timeout: 120_000 },
  async () => {
    const chains = await Promise.all([1, 2, 3].flatMap((hops) => [0, 1, 2].map((first) => chained(hops, first))));
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...chains),
        fc.constantFrom(...Object.keys(DAMAGES)),
        fc.nat(20),
        async (chain, damage, at) => {
          const mail = Buffer.from(DAMAGES[damage]?.(chain, at) ?? chain);
          const ours = await readingOf(mail, lookup);
          expect({ damage, ...ours }).toEqual({ damage, ...(await mailauthReading(mail, lookup)) });
          seen.set(ours.arc, (seen.get(ours.arc) ?? 0) + 1);
        },
      ),
      { numRuns: 500 },
    );
    expect(seen.get("pass")).toBeGreaterThan(40);
    expect(seen.get("fail")).toBeGreaterThan(40);
  },
);

describe("a chain", () => {
  test("of 50 sets holds, and one set more does not", { timeout: 120_000 }, async () => {
    expect((await readingOf(Buffer.from(await chained(50)), lookup)).arc).toBe("pass");
    // No sealer of ours would add it.
    const set = (name: string) => `${name}: i=51; a=rsa-sha256; cv=pass; d=one.example; s=s1; b=x\r\n`;
    const more = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"].map(set).join("");
    expect((await readingOf(Buffer.from(more + (await chained(50))), lookup)).arc).toBe("fail");
  });

  test("whose newest signature covers part of the body only does not hold: what follows could be anybody's", async () => {
    expect((await readingOf(sealedByHand("hello\r\n", 7), lookup)).arc).toBe("pass");
    expect((await readingOf(sealedByHand("hello\r\n", 5), lookup)).arc).toBe("fail");
  });
});

/** One set of two.example whose message signature says `l=`, as no library writes it. */
function sealedByHand(body: string, length: number): Buffer {
  const pem = KEYS[1]?.pem ?? "";
  const signatureOf = (text: string) => sign(null, hash("sha256", text, "buffer"), pem).toString("base64");
  const tags = "i=1; a=ed25519-sha256; d=two.example; s=s1;";
  const results = "i=1; two.example; none";
  const bodyHash = hash("sha256", body.slice(0, length), "base64");
  let signature = `${tags} c=relaxed/relaxed; h=from; l=${length}; bh=${bodyHash}; b=`;
  signature += signatureOf(`from:a@shop.example\r\narc-message-signature:${signature}`);
  let seal = `${tags} cv=none; b=`;
  seal += signatureOf(
    `arc-authentication-results:${results}\r\narc-message-signature:${signature}\r\narc-seal:${seal}`,
  );
  return Buffer.from(
    [
      `ARC-Seal: ${seal}`,
      `ARC-Message-Signature: ${signature}`,
      `ARC-Authentication-Results: ${results}`,
      "From: a@shop.example",
      "",
      body,
    ].join("\r\n"),
  );
}

test("what a sealer claims is read without its comments, quotes and version", () => {
  expect(claimOf('i=1; MX.example 1; spf=fail; dmarc=pass (p="x"; dmarc=fail) header.from="a.example"')).toEqual({
    by: "mx.example",
    dmarc: "pass",
    from: "a.example",
  });
  expect(claimOf('i=1; mx.example; x=";dmarc=pass header.from=a.example"; none')).toEqual({
    by: "mx.example",
    dmarc: null,
    from: null,
  });
  expect(claimOf("")).toEqual({ by: null, dmarc: null, from: null });
});
