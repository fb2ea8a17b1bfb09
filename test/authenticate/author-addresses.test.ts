import fc from "fast-check";
import { expect, test } from "vitest";

import { authorAddresses } from "../../src/authenticate/author-addresses.ts";
import { mailauthReading } from "../support/mailauth-oracle.ts";

const nobody = () => Promise.reject(Object.assign(new Error("none"), { code: "ENOTFOUND" }));
const mailauthsOf = async (from: string) =>
  (await mailauthReading(Buffer.from(`From: ${from}\r\n\r\n`), nobody)).headerFrom;

test("mailboxes are found as mailauth finds them, in any list that RFC 5322 allows", async () => {
  const address = fc.constantFrom("a@shop.example", "b.c+d@mail.shop.example", "é@übel.example", '"a b"@shop.example');
  const phrase = fc.constantFrom(
    "",
    "Shop ",
    '"Shop, Ltd <x@evil.example>" ',
    '"a \\" b" ',
    "=?utf-8?Q?Caf=C3=A9?= ",
    "Ü ",
  );
  const comment = fc.constantFrom("", "", " (x)", " (x: <y>, z)");
  const mailbox = fc.oneof(
    fc.tuple(phrase, address, comment).map(([name, at, note]) => `${name}<${at}>${note}`),
    fc.tuple(address, comment).map(([at, note]) => `${at}${note}`),
  );
  const list = fc.array(mailbox, { minLength: 1, maxLength: 3 }).map((boxes) => boxes.join(", "));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        list,
        list.map((members) => `Team: ${members};`),
      ),
      async (from) => {
        expect(authorAddresses(from)).toEqual(await mailauthsOf(from));
      },
    ),
    { numRuns: 500 },
  );
});

test.each([
  ["nobody", []],
  ["", []],
  ["<>", []],
  ["undisclosed-recipients:;", []],
  ["Cron <root>", ["root"]],
  ["joe@x.example (Joe)", ["joe@x.example"]],
  ["Joe joe@x.example", ["joe@x.example"]],
  ["Joe <joe@x.example> <jim@y.example>", ["joe@x.example", "jim@y.example"]],
  ["<@a.example,@b.example:joe@x.example>", ["@a.example,@b.example:joe@x.example"]],
  // mailauth takes the address out of a comment in a comment.
  ["a@x.example (x (y) \\) <b@y.example>)", ["a@x.example"]],
  // What readers may differ about stays as it is: two domains, which are nobody's.
  ["a@x.example b@y.example", ["a@x.example b@y.example"]],
  ["a@x.example@y.example", ["a@x.example@y.example"]],
  ['"a@x.example', []],
  ["(a@x.example", []],
])("%s", (from, expected) => {
  expect(authorAddresses(from)).toEqual(expected);
});
