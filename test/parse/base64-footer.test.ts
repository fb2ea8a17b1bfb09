import fc from "fast-check";
import { expect, test } from "vitest";

import { decodeInPieces, decodeTransfer, isLongBase64 } from "../../src/parse/transfer-encoding.ts";

const FOOTERS = [
  "_______________________________________________\r\nOrders mailing list\r\nhttps://lists.example.org/\r\n",
  "-- \r\nSent by list\r\n",
  "--\r\nUnsubscribe\r\n",
  "\r\nThis message was scanned for viruses and dangerous content by MailScanner and is believed to be clean.\r\n",
  "Orders\r\nhttps://lists.example.org/\r\n",
  "\r\nUnsubscribe: https://lists.example.org/unsubscribe/0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
  "________________________________________________________________________________\r\nlist\r\n",
  "Disclaimer: Diese E-Mail ist vertraulich.",
  "*** EXTERNAL ***\n",
  "-----\r\nabcd\r\nefgh\r\n",
];
const DOCUMENTS = [
  '{"case":74,"t":"padded"}',
  '{"case":74,"t":"padded"} ',
  '{"case":74,"t":"padded"}  ',
  "{}",
  `{"a":"${"x".repeat(200)}"}`,
  `{"a":"${"日本語é".repeat(40)}"}`,
];

function encoded(text: string, width: number, lineEnd: string): string {
  return Buffer.from(text)
    .toString("base64")
    .replace(new RegExp(`.{${width}}(?=.)`, "g"), `$&${lineEnd}`);
}

test.each(FOOTERS)("the footer %j below base64 is no part of it, with padding or without", (footer) => {
  for (const text of DOCUMENTS)
    for (const width of [76, 64, 32, 1_000])
      for (const lineEnd of ["\r\n", "\n"]) {
        const padded = encoded(text, width, lineEnd);
        for (const digits of [padded, padded.replace(/=+$/, "")]) {
          const body = Buffer.from(`${digits}${lineEnd}${footer}`);
          expect(decodeTransfer(body, "base64").toString()).toBe(text);
        }
      }
});

test("base64 without a footer comes out whole, however it is wrapped", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      fc.constantFrom(76, 75, 64, 32, 20, 1_000),
      fc.constantFrom("\r\n", "\n", "\r", " \r\n", "\r\n\r\n", "\r\n \r\n"),
      fc.boolean(),
      (bytes, width, between, isPadded) => {
        const digits = Buffer.from(bytes)
          .toString("base64")
          .replace(new RegExp(`.{${width}}`, "g"), `$&${between}`);
        const body = Buffer.from(isPadded ? digits : digits.replace(/=/g, ""));
        expect(decodeTransfer(body, "base64").equals(Buffer.from(bytes))).toBe(true);
      },
    ),
  );
});

test("a long file with a footer is not taken for one run of base64", () => {
  const bytes = Buffer.alloc(1_500_000, "0123456789 ");
  const digits = bytes.toString("base64").replace(/.{76}/g, "$&\r\n");
  const body = Buffer.from(`${digits}\r\n${FOOTERS[0]}`);
  expect(isLongBase64(body, "base64")).toBe(false);
  expect(decodeTransfer(body, "base64").equals(bytes)).toBe(true);
  expect(Buffer.concat([...decodeInPieces(Buffer.from(digits))]).equals(bytes)).toBe(true);
});
