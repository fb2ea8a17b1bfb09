import { createPublicKey, randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { PublicKeys } from "../../../src/authenticate/dkim/public-key.ts";

/** A key record with an RSA key of any size; nobody has the other half. */
function recordOf(bits: number, exponent: Buffer = Buffer.from([1, 0, 1])): string {
  const modulus = randomBytes(bits / 8);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) | 1;
  const jwk = { kty: "RSA", n: modulus.toString("base64url"), e: exponent.toString("base64url") };
  const der = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "der" });
  return `v=DKIM1; k=rsa; p=${der.toString("base64")}`;
}

const readingOf = (record: string, domain = "shop.example") =>
  new PublicKeys(() => Promise.resolve([[record]])).of("s1", domain);

test.each([
  ["too short", 512],
  ["so long that one check takes as long as a hundred", 8_192],
  ["so long that OpenSSL takes no longer one", 16_384],
])("an RSA key that is %s is against the rules", async (_, bits) => {
  expect(await readingOf(recordOf(bits))).toEqual({ kind: "none", result: "policy" });
});

test("an RSA key whose exponent makes a check as dear as signing is against the rules", async () => {
  expect(await readingOf(recordOf(2_048, randomBytes(200)))).toEqual({ kind: "none", result: "policy" });
});

test.each([1_024, 2_048, 4_096])("an RSA key of %s bits counts", async (bits) => {
  expect(await readingOf(recordOf(bits))).toMatchObject({ kind: "key" });
});

test("a domain that is longer than any name is not asked about", async () => {
  let asked = 0;
  const keys = new PublicKeys(() => {
    asked += 1;
    return Promise.resolve([[recordOf(1_024)]]);
  });
  expect(await keys.of("s1", `${"a.".repeat(126)}example`)).toEqual({ kind: "none", result: "neutral" });
  expect(asked).toBe(0);
  expect(await keys.of("s1", `${"a.".repeat(100)}example`)).toMatchObject({ kind: "key" });
  await keys.of("s1", `${"a.".repeat(100)}example`);
  expect(asked).toBe(1);
});

test.each(["v=DKIM1; p=", "v=DKIM2; p=AAAA", "p=!", "k=dsa; p=AAAA", "h=sha1; p=AAAA", "s=chat; p=AAAA", "", ";;;"])(
  "the record %o judges nothing",
  async (record) => {
    expect(await readingOf(record)).toEqual({ kind: "none", result: "neutral" });
  },
);
