import { readFile, readdir } from "node:fs/promises";

import { expect, test } from "vitest";

import { mailShape } from "./mail-shape.ts";

const FOLDER = new URL("../../fixtures/mail/mime/", import.meta.url);
const names = (await readdir(FOLDER)).filter((file) => file.endsWith(".eml")).map((file) => file.slice(0, -4));

test.each(names)(
  "the mail %s is taken apart as its expectation says, with CRLF, LF and CR as line ends",
  async (name) => {
    const mail = await readFile(new URL(`${name}.eml`, FOLDER));
    const expected: unknown = JSON.parse(await readFile(new URL(`${name}.expected.json`, FOLDER), "utf8"));
    expect(mailShape(mail)).toEqual(expected);
    expect(mailShape(withLineEnds(mail, "\n"))).toEqual(expected);
    // Relays cut lines with CRLF, and a CR alone in a damaged header is a character of its line.
    if (!/^(?:relay-cut|header)-/.test(name)) expect(mailShape(withLineEnds(mail, "\r"))).toEqual(expected);
  },
);

test("every mail of the folder is in its README.md, and the other way round", async () => {
  const readme = await readFile(new URL("README.md", FOLDER), "utf8");
  const listed = [...readme.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(new Set(listed)).toEqual(new Set(names));
  expect(listed).toHaveLength(names.length);
});

function withLineEnds(mail: Buffer, lineEnd: string): Buffer {
  return Buffer.from(mail.toString("latin1").replaceAll("\r\n", lineEnd), "latin1");
}
