import { describe, expect, test } from "vitest";

import { extract } from "../../src/library.ts";
import { parseMail } from "../../src/parse/mail.ts";

const LIMITS = { parts: 1_000, mimeDepth: 50, headerBytes: 262_144, rfc822Depth: 8, textBytes: 65_536 };
const HEAD = "From: shop@shop.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n";
const JSON_PART = "Content-Type: application/json\r\n\r\n";
/** `{"a":1}` where no reader of prose finds it. */
const BASE64_PART = "Content-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\neyJhIjoxfQ==";

const payloadOf = async (mail: string) => (await extract(Buffer.from(mail, "latin1"), { as: "mail" })).payload?.json;

describe("a boundary that occurs in the body counts, whatever Content-Type says", () => {
  const body = `\r\n--xY\r\nContent-Type: text/plain\r\n\r\nHello\r\n--xY\r\n${BASE64_PART}\r\n--xY--\r\n`;

  test.each([
    ["multipart/multipart/mixed; boundary=xY"],
    ["multipart/multipart/alternative; boundary=xY"],
    ["multipart; boundary=xY"],
    ["multipart/; boundary=xY"],
    ["multipart / mixed; boundary=xY"],
    ["multipart/mixed boundary=xY"],
    ["multipart/mixed, boundary=xY"],
    ["multipart/mixed: boundary=xY"],
    ["multipart\\mixed; boundary=xY"],
    ['"multipart/mixed"; boundary=xY'],
    ["Content-Type: multipart/mixed; boundary=xY"],
    ["=?utf-8?q?multipart/mixed?=; boundary=xY"],
    ["text/plain; boundary=xY"],
    ["application/octet-stream; boundary=xY"],
    ["boundary=xY"],
    ['mixed; boundary="xY'],
    // Without one that can be read, the delimiter lines say it.
    ["multipart/mixed; boundary: xY"],
    ["multipart/mixed"],
    ["multipart/mixed; boundary="],
    ["multipart/mixed\r\nContent-Type: text/plain"],
    ["nonsense\r\nContent-Type: multipart/mixed; boundary=xY"],
  ])("%j", async (type) => {
    expect(await payloadOf(`${HEAD}Content-Type: ${type}\r\n${body}`)).toBe('{"a":1}');
  });

  test("a part that repeats the boundary around it holds nothing, and the next part is the next", async () => {
    const mail = `${HEAD}Content-Type: multipart/mixed; boundary=xY\r\n\r\n--xY\r\nContent-Type: text/plain; boundary=xY\r\n\r\nHello\r\n--xY\r\n${JSON_PART}{"a":1}\r\n--xY--\r\n`;
    expect((await extract(Buffer.from(mail))).parts.map(({ part, mediaType }) => [part, mediaType])).toEqual([
      ["1", "text/plain"],
      ["2", "application/json"],
    ]);
  });

  test("one that does not occur changes nothing", async () => {
    const { parts, payload } = await extract(
      Buffer.from(`${HEAD}Content-Type: application/json; boundary=xY\r\n\r\n{"a":1}`),
    );
    expect(parts).toMatchObject([{ part: "1", mediaType: "application/json" }]);
    expect(payload?.json).toBe('{"a":1}');
  });

  test("the mail in an enclosing part whose header repeats the inner boundary is still forwarded", async () => {
    const mail = `${HEAD}Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822; boundary=xY\r\n\r\nFrom: b@shop.example\r\nContent-Type: multipart/mixed; boundary=xY\r\n${body}--a--\r\n`;
    const { items } = await extract(Buffer.from(mail));
    expect(items).toMatchObject([{ source: { part: "1.2", forwarded: true } }]);
  });
});

test.each([
  ["application/json, text/plain"],
  ["application/json; charset=utf-8; charset=latin1"],
  ['"application/json; charset=utf-8"'],
  ["application\\json"],
  ["application / json"],
  ["Content-Type: application/json"],
  ["application/json: charset=utf-8"],
  ["json"],
  ["application/x-json"],
  ["text/x-json"],
  ["application/x-json; charset=utf-8"],
  ["text/json"],
  ["application/vnd.shop.order+json"],
  ["application/jsonld"],
  ["application/json+ld"],
  ["name=order.json"],
  ['application/octet-stream; name="order.json "'],
])("the Content-Type %j is read as JSON", async (type) => {
  const { items } = await extract(Buffer.from(`${HEAD}Content-Type: ${type}\r\n\r\n"a scalar"`), { as: "mail" });
  expect(items).toMatchObject([{ json: '"a scalar"', source: { element: null } }]);
});

test.each([
  ["order.json ", "order.json"],
  ["\torder.json\t", "order.json"],
  ["order.json\u00a0", "order.json"],
  ["order.json;", "order.json"],
  ["'order.json'", "order.json"],
  ["<order.json>", "order.json"],
  ["order.json\u200b", "order.json"],
  ["ORDER.JSON ", "ORDER.JSON"],
  ["C:\\\\Temp\\\\order.json ", "C:\\Temp\\order.json"],
  ["=?utf-8?Q?order.json_?=", "order.json"],
  ["=?iso-2022-jp?B?GyRCQ21KOBsoQi5qc29uIA==?=", "注文.json"],
])("the file name %j is that of JSON", async (written, filename) => {
  const mail = `${HEAD}Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="${written}"\r\n\r\n"a scalar"`;
  const { items } = await extract(Buffer.from(mail), { as: "mail", select: { filename: "*.json" } });
  expect(items).toMatchObject([{ json: '"a scalar"', source: { filename } }]);
});

test.each([
  ['filename="a.txt"', null, "a.txt"],
  ['; filename="a.txt"', null, "a.txt"],
  ["in line", null, null],
  ["attachment/inline; filename=a.txt", null, "a.txt"],
  ["attachment: filename=a.txt", null, "a.txt"],
  ["=?utf-8?q?attachment?=", null, null],
  ["", null, null],
  ['"inline"', "inline", null],
  ['"attachment"; filename=a.txt', "attachment", "a.txt"],
  ["attachment filename=a.txt", "attachment", "a.txt"],
  ["x-unheard-of", "attachment", null],
])("the Content-Disposition %j makes a part %s, its file %s", (disposition, expected, filename) => {
  const mail = `${HEAD}Content-Type: text/plain\r\nContent-Disposition: ${disposition}\r\n\r\nHello`;
  const parsing = parseMail(Buffer.from(mail), LIMITS);
  if (parsing.kind === "limit") throw new Error(parsing.detail);
  expect(parsing.parts).toMatchObject([{ disposition: expected, filename }]);
  expect(parsing.summary.text).toBe(expected === "attachment" ? null : "Hello");
});

describe("a mail as a file is entered", () => {
  const INNER = `From: b@shop.example\r\nSubject: inner\r\n${JSON_PART}{"t":"\xc3\xbc"}\r\n`;
  const base64 = Buffer.from(INNER, "latin1").toString("base64");
  const enclosed = (fields: string, body: string) =>
    `${HEAD}Content-Type: multipart/mixed; boundary=xY\r\n\r\n--xY\r\nContent-Type: text/plain\r\n\r\nsee attached\r\n--xY\r\n${fields}\r\n\r\n${body}\r\n--xY--\r\n`;

  test.each([
    [
      "octet-stream in base64",
      'Content-Type: application/octet-stream; name="fwd.eml"\r\nContent-Transfer-Encoding: base64',
      base64,
    ],
    [
      "octet-stream by its disposition",
      'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="Fwd Order.EML "',
      INNER,
    ],
    [
      "octet-stream in quoted-printable",
      "Content-Type: application/octet-stream; name=a.eml\r\nContent-Transfer-Encoding: quoted-printable",
      INNER.replace("\xc3\xbc", "=C3=BC"),
    ],
    ["text", "Content-Type: text/plain; name=a.eml\r\nContent-Disposition: attachment", INNER],
    ["a type that is not registered", "Content-Type: application/x-eml\r\nContent-Transfer-Encoding: base64", base64],
    ["another one", "Content-Type: message/x-rfc822", INNER],
    ["no type", "Content-Disposition: attachment; filename=a.eml", INNER],
    [
      "message/rfc822 in base64",
      "Content-Type: message/rfc822; name=a.eml\r\nContent-Transfer-Encoding: base64",
      base64,
    ],
  ])("as %s", async (_, fields, body) => {
    const { items } = await extract(Buffer.from(enclosed(fields, body), "latin1"), { as: "mail" });
    expect(items).toMatchObject([{ json: '{"t":"ü"}', source: { part: "2.1", forwarded: true } }]);
  });

  test("as a uuencoded file in a text", async () => {
    const lines = Buffer.from(INNER, "latin1")
      .toString("latin1")
      .match(/[\s\S]{1,45}/g)
      ?.map((line) => uuencoded(Buffer.from(line, "latin1")));
    const mail = `${HEAD}Content-Type: text/plain\r\n\r\nHello\r\nbegin 644 fwd.eml\r\n${lines?.join("\r\n")}\r\n\`\r\nend\r\n`;
    const { items } = await extract(Buffer.from(mail), { as: "mail" });
    expect(items).toMatchObject([{ json: '{"t":"ü"}', source: { forwarded: true } }]);
  });

  test("but not what is only called one", async () => {
    const { parts } = await extract(
      Buffer.from(enclosed("Content-Type: application/octet-stream; name=a.eml", "\x00\x01 no mail")),
      { as: "mail" },
    );
    expect(parts).toMatchObject([{ part: "1" }, { part: "2", filename: "a.eml" }]);
  });

  test("no deeper than enclosed mails are", async () => {
    let mail = `${HEAD}${JSON_PART}{"deep":1}`;
    for (let depth = 0; depth < 10; depth += 1)
      mail = `${HEAD}Content-Type: application/octet-stream; name=a.eml\r\n\r\n${mail}`;
    const { parts, items } = await extract(Buffer.from(mail), { as: "mail" });
    expect(parts).toMatchObject([{ filename: "a.eml", forwarded: true }]);
    expect(items).toEqual([]);
  });
});

/** One line of POSIX uuencode. */
function uuencoded(bytes: Buffer): string {
  const character = (value: number) => String.fromCharCode(value === 0 ? 0x60 : value + 0x20);
  let line = character(bytes.length);
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) line += character((group >> shift) & 63);
  }
  return line;
}
