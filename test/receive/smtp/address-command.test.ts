import fc from "fast-check";
import { expect, test } from "vitest";

import { readAddressCommand } from "../../../src/receive/smtp/address-command.ts";

test.each([
  ["<a@example.org>", "a@example.org"],
  [" <a@example.org>", "a@example.org"],
  ["<>", ""],
  ["<@one.example,@two.example:a@example.org>", "a@example.org"],
  ['<"john doe"@example.org>', '"john doe"@example.org'],
  ['<"a@b"@example.org>', '"a@b"@example.org'],
  ['<"john"@example.org>', "john@example.org"],
  ['<"jo\\"hn"@example.org>', '"jo\\"hn"@example.org'],
  ["<user.@my_host.example>", "user.@my_host.example"],
  ["<SRS0=HHH=TT=a.example=joe@b.example>", "SRS0=HHH=TT=a.example=joe@b.example"],
  ["<!#$%&'*+-/=?^_`{|}~@example.org>", "!#$%&'*+-/=?^_`{|}~@example.org"],
  ["<jürgen@bücher.example>", "jürgen@bücher.example"],
  ["<a@[192.0.2.1]>", "a@[192.0.2.1]"],
  ["<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"],
])("MAIL FROM:%s is %j", (path, address) => {
  expect(readAddressCommand("MAIL FROM", `mail from:${path}`)).toEqual({
    address,
    parameters: new Map(),
    duplicate: undefined,
  });
});

test.each([
  "a@example.org",
  "<a@example.org",
  "<a>",
  "<a@b@c>",
  "<a b@c>",
  "<a@>",
  "<@c>",
  "<a@b>x",
  "<a\u0000@b>",
  "<a\u200b@b>",
  '<"a@b>',
  "",
  "<a@b> =x",
  "<a@b> SIZE=",
])("MAIL FROM:%j is none", (path) => {
  expect(readAddressCommand("MAIL FROM", `MAIL FROM:${path}`)).toBeUndefined();
});

test("parameters are read by name, one that stands there twice is told", () => {
  expect(readAddressCommand("MAIL FROM", "MAIL FROM:<a@b> size=10 BODY=8BITMIME SMTPUTF8")).toMatchObject({
    parameters: new Map<string, string | true>([
      ["SIZE", "10"],
      ["BODY", "8BITMIME"],
      ["SMTPUTF8", true],
    ]),
    duplicate: undefined,
  });
  expect(readAddressCommand("MAIL FROM", "MAIL FROM:<a@b> SIZE=1 SIZE=2")).toMatchObject({ duplicate: "SIZE" });
  expect(readAddressCommand("RCPT TO", "RCPT TO:<Postmaster>")).toMatchObject({ address: "Postmaster" });
  expect(readAddressCommand("RCPT TO", "RCPT TO:<>")).toBeUndefined();
  expect(readAddressCommand("RCPT TO", "MAIL FROM:<a@b>")).toBeUndefined();
});

test("garbage never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      readAddressCommand("RCPT TO", `RCPT TO:<${text}>`);
    }),
  );
  expect(readAddressCommand("MAIL FROM", `MAIL FROM:<"${"\\a".repeat(2_000)}@b>`)).toBeUndefined();
});
