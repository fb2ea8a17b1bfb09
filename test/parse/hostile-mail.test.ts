import { expect, test } from "vitest";

import { inflateRtf, htmlOfRtf } from "../../src/parse/rtf.ts";
import { decodeInPieces, decodeTransfer, isLongBase64 } from "../../src/parse/transfer-encoding.ts";
import { findUuencoded } from "../../src/parse/uuencode.ts";
import { mailShape } from "./mail-shape.ts";

test("multiparts under boundaries that nobody names nest as deep as parts may, without copies of the mail", () => {
  let mail = "x";
  for (let depth = 60; depth > 0; depth -= 1)
    mail = `Content-Type: multipart/mixed; boundary=x${depth}\r\n\r\n--y${depth}\r\nContent-Foo: 1\r\n${mail}`;
  expect(mailShape(Buffer.from(mail))).toMatchObject({ kind: "limit", limit: "mime-depth" });
});

test("encoded mails in encoded mails that never get smaller are a limit", () => {
  const growing = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`.repeat(8);
  expect(mailShape(Buffer.from(`${growing}A: =3D\r\n\r\n${"hello ".repeat(1_000)}`))).toMatchObject({
    kind: "limit",
    limit: "mime-depth",
    detail: "encoded parts in encoded parts, more than 4 times the mail in all",
  });
});

test("thousands of uuencoded files are the limit on parts", () => {
  const files = "begin 644 a\r\n#86)C\r\n`\r\nend\r\n".repeat(5_000);
  expect(findUuencoded(Buffer.from(files)).length).toBeLessThan(3_000);
  expect(mailShape(Buffer.from(`Subject: x\r\n\r\n${files}`))).toMatchObject({ kind: "limit", limit: "parts" });
});

test("RTF that claims to grow without end is not opened", () => {
  const bomb = Buffer.alloc(5_000_000);
  bomb.writeUInt32LE(0xffff_ffff, 4);
  bomb.writeUInt32LE(0x75465a4c, 8);
  expect(inflateRtf(bomb)).toHaveLength(0);
});

test("a word of RTF that objects happen to have stands for nothing", () => {
  expect(htmlOfRtf(Buffer.from("{\\rtf1\\fromhtml1 {\\*\\htmltag <p>}a\\constructor b\\tostring c}"))).toBe("<p>abc");
});

test("base64 of any length comes out whole, whatever stands between its digits", () => {
  const bytes = Buffer.from(Array.from({ length: 1_500_000 }, (_, index) => (index * 7_919) % 256));
  for (const [width, between] of [
    [76, "\r\n"],
    [75, " \t\n"],
    [77, "!\n"],
  ] as const) {
    const encoded = bytes.toString("base64").replace(new RegExp(`.{${width}}`, "g"), `$&${between}`);
    expect(decodeTransfer(Buffer.from(encoded), "base64").equals(bytes)).toBe(true);
    expect(isLongBase64(Buffer.from(encoded), "base64")).toBe(true);
    expect(Buffer.concat([...decodeInPieces(Buffer.from(encoded))]).equals(bytes)).toBe(true);
  }
  const twice = `${bytes.toString("base64")}\r\n${bytes.toString("base64")}`;
  expect(decodeTransfer(Buffer.from(twice), "base64").length).toBe(2 * bytes.length);
  // 1,500,001 bytes end in padding: what stands behind it is another run, which pieces of one run would lose.
  const padded = Buffer.from([...bytes, 1]).toString("base64");
  expect(isLongBase64(Buffer.from(`${padded}\r\n${padded}`), "base64")).toBe(false);
  expect(isLongBase64(Buffer.from(`${padded}\r\n`), "base64")).toBe(true);
});
