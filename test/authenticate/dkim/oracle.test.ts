import fc from "fast-check";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { expect, test } from "vitest";

import { readHeaders } from "../../../src/parse/headers.ts";
import { mailauthReading } from "../../support/mailauth-oracle.ts";
import { readingOf } from "../../support/signature-reading.ts";
import type { SigningKey } from "../../support/signed-mail.ts";
import { makeSigningKey } from "../../support/signed-mail.ts";

// Our DKIM against mailauth's over generated mails: signed in every way, and changed on the way as relays change them.

const KEYS = [
  makeSigningKey("shop.example"),
  makeSigningKey("mail.shop.example", "ed25519", "ed"),
  makeSigningKey("list.example"),
] as const;
const CANONICALIZATIONS = ["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"] as const;

const text = fc
  .array(
    fc.constantFrom("a", "word", " ", "  ", "\t", "\r\n ", "\r\n\t", "é", "=?utf-8?Q?=C3=A9?=", ":", ";", "\u00a0"),
    {
      maxLength: 8,
    },
  )
  // A line of blanks alone, or of none, would be another thing to each reader.
  .map((parts) => `x${parts.join("")}`.replace(/(?:\r\n[ \t]+)+(?=\r\n|$)/g, ""));
const field = fc.tuple(fc.constantFrom("Subject", "To", "X-A", "x-a", "Received", "List-Id"), text);
const line = fc.oneof(
  text.map((value) => value.replace(/\r\n/g, "")),
  fc.constantFrom("", " ", "\t ", "x \t", "\tx", "x".repeat(5_000), "\r"),
);
const body = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom("", "\r\n", "\r\n\r\n", "\r\n \t\r\n", "\n"))
  .map(([lines, end]) => lines.join("\r\n") + end);
const signer = fc.record({
  key: fc.nat(KEYS.length - 1),
  canonicalization: fc.constantFrom(...CANONICALIZATIONS),
  maxBodyLength: fc.option(fc.nat(40), { freq: 4, nil: undefined }),
  names: fc.subarray(["Subject", "To", "X-A", "X-A", "Received", "Absent", "List-Id"]),
  expiresInMs: fc.constantFrom(undefined, undefined, 60_000, -60_000),
});
type Signer = typeof signer extends fc.Arbitrary<infer T> ? T : never;

/** What may happen on the way, harmless and not. */
const CHANGES: Readonly<Record<string, (mail: string) => string>> = {
  nothing: (mail) => mail,
  "LF as line ends": (mail) => mail.replaceAll("\r\n", "\n"),
  "an empty line more": (mail) => `${mail}\r\n`,
  "text below": (mail) => `${mail}-- \r\nsent from a list\r\n`,
  "a blank at the end": (mail) => `${mail} `,
  "blanks in lines": (mail) => mail.replaceAll("word", "word  ").replaceAll("a\r\n", "a \r\n"),
  "names in capitals": (mail) => mail.replace(/^(?:Subject|To|X-A):/gim, (name) => name.toUpperCase()),
  "folds elsewhere": (mail) => mail.replace(/^(Subject|To|X-A): x/gm, "$1:\r\n x"),
  "a field more on top": (mail) => `Received: by relay\r\n${mail}`,
  "a field more below": (mail) => mail.replace(/^From:/m, "X-A: more\r\nFrom:"),
  "a field less": (mail) => mail.replace(/^X-A: [^]*?\r\n(?![ \t])/m, ""),
  "another subject": (mail) => mail.replace(/^Subject: x/m, "Subject: y"),
  "another body": (mail) => mail.replace("\r\n\r\nx", "\r\n\r\ny"),
  "another tag": (mail) => mail.replace("d=shop.example", "d=list.example"),
  "a broken signature": (mail) => mail.replace(/\bb=../, "b=AA"),
  "blanks in the signature": (mail) => mail.replace(/\bb=(..)/, "b = $1 \r\n "),
  "a hash that nobody takes": (mail) => mail.replace("a=rsa-sha256", "a=rsa-sha512"),
  "no domain": (mail) => mail.replace(/\bd=[^;]*;/, ""),
  "From unsigned": (mail) => mail.replace(/\bh=From: ?/i, "h="),
};

async function signedBy(mail: string, { key: index, canonicalization, maxBodyLength, names, expiresInMs }: Signer) {
  const key = KEYS[index] ?? KEYS[0];
  const signing = { signingDomain: key.domain, selector: key.selector, privateKey: key.pem };
  const { signatures, errors } = await dkimSign(Buffer.from(mail), {
    ...signing,
    canonicalization,
    signatureData: [{ ...signing, ...(maxBodyLength !== undefined && { maxBodyLength }) }],
    ...(expiresInMs !== undefined && { expires: new Date(Date.now() + expiresInMs) }),
    headerList: ["From", ...names].join(":"),
  });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return signatures + mail;
}

/** Answers with the keys of KEYS. */
const lookup = (name: string): Promise<unknown[]> => {
  const zone = Object.assign({}, ...KEYS.map((key: SigningKey) => key.zone)) as SigningKey["zone"];
  const entry = zone[name] as { readonly TXT?: readonly string[] } | undefined;
  if (entry?.TXT === undefined) return Promise.reject(Object.assign(new Error(name), { code: "ENOTFOUND" }));
  return Promise.resolve(entry.TXT.map((record) => [record]));
};

const seen = new Map<string, number>();

test("signatures get the verdicts that mailauth gives them, whatever happened to the mail", async () => {
  const change = fc.constantFrom(...Object.keys(CHANGES));
  await fc.assert(
    fc.asyncProperty(
      fc.array(field, { maxLength: 6 }),
      body,
      fc.array(signer, { minLength: 1, maxLength: 2 }),
      fc.array(change, { maxLength: 2 }),
      async (fields, content, signers, changes) => {
        const head = [...fields, ["From", "Shop <a@shop.example>"]].map(([name, value]) => `${name}: ${value}\r\n`);
        let mail = `${head.join("")}\r\n${content}`;
        for (const one of signers) mail = await signedBy(mail, one);
        for (const name of changes) mail = CHANGES[name]?.(mail) ?? mail;
        const bytes = Buffer.from(mail);
        const ours = await readingOf(bytes, lookup);
        const theirs = await mailauthReading(bytes, lookup);
        expect(ours).toEqual(theirs);
        // As the parser cut it, and in memory that threads share.
        const shared = Buffer.from(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        expect(await readingOf(shared, lookup, readHeaders(shared, 0, bytes.length))).toEqual(theirs);
        for (const result of ours.signatures) seen.set(result, (seen.get(result) ?? 0) + 1);
      },
    ),
    { numRuns: 600 },
  );
  // Nothing is shown by mails that all pass, or all fail.
  for (const result of ["pass", "fail", "neutral", "policy"]) expect(seen.get(result), result).toBeGreaterThan(20);
});

test("a signature of another kind than its key is nobody's", async () => {
  const mail = "From: a@shop.example\r\n\r\nhello\r\n";
  const signing = { canonicalization: "relaxed/relaxed", maxBodyLength: undefined, names: [], expiresInMs: undefined };
  for (const [key, written, other] of [
    [0, "rsa", "ed25519"],
    [1, "ed25519", "rsa"],
  ] as const) {
    const signed = await signedBy(mail, { ...signing, canonicalization: "relaxed/relaxed", key });
    expect((await readingOf(Buffer.from(signed), lookup)).signatures).toEqual(["pass"]);
    const changed = Buffer.from(signed.replace(`a=${written}-`, `a=${other}-`));
    expect((await readingOf(changed, lookup)).signatures).toEqual(["neutral"]);
  }
});
