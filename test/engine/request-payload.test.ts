import { expect, test } from "vitest";

import { parseBodyType } from "../../src/parse/body-kind.ts";
import { boundaryOf } from "../../src/parse/body-multipart.ts";
import { receiveFiles } from "../../src/pipeline/receive-files.ts";
import { readBody } from "../../src/engine/request-payload.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const utf8 = (text: string) => Buffer.from(text);
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
const JIS = latin1('"\x1b$BF|K\\\x1b(B"');

/** The payload of a body as a value, its fields, or the status and why. */
function read(type: string, body: Buffer): unknown {
  const reading = readBody(body, parseBodyType(type));
  switch (reading.kind) {
    case "payload":
      return JSON.parse(reading.payload);
    case "fields":
      return reading.fields;
    case "opaque":
      return "opaque";
    case "refused":
      return reading.outcome.kind === "refused" ? reading.outcome.detail : reading.outcome;
  }
}

test.each<[string, Buffer, unknown]>([
  // Valid UTF-8 beats the label, for everything that is text.
  ["application/json; charset=ISO-8859-1", utf8('{"t":"Jürgen – 日本"}'), { t: "Jürgen – 日本" }],
  ["application/json; charset=windows-1251", utf8('{"t":"ü"}'), { t: "ü" }],
  ["application/json; charset=shift_jis", utf8('{"t":"日"}'), { t: "日" }],
  ["application/json; charset=utf-16", utf8('{"t":"ü"}'), { t: "ü" }],
  ["application/json; charset=us-ascii", utf8('{"t":"ü"}'), { t: "ü" }],
  ["application/vnd.shop+json; charset=iso-8859-15", utf8('{"t":"€"}'), { t: "€" }],
  ["application/x-ndjson; charset=ISO-8859-1", utf8('{"t":"ü"}\n{"t":"日本"}'), [{ t: "ü" }, { t: "日本" }]],
  ["text/xml; charset=iso-8859-1", utf8("<a>ü</a>"), { a: "ü" }],
  ["text/xml; charset=us-ascii", utf8("<a>日本</a>"), { a: "日本" }],
  ["application/xml", utf8("<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>"), { a: "ü" }],
  ["text/plain; charset=iso-8859-1", utf8("Grüße"), "Grüße"],
  ["text/plain; charset=windows-1252", utf8("ü"), "ü"],
  ["text/plain; charset=gb2312", utf8("ü"), "ü"],
  ["application/cloudevents+json; charset=iso-8859-1", utf8('{"t":"ü"}'), { t: "ü" }],
  // JSON is UTF-8 whatever its charset says, unless it is not; then the label says what it is.
  ["application/json; charset=utf-7", utf8('{"t":"+AOk-"}'), { t: "+AOk-" }],
  ["application/json; charset=iso-8859-1", latin1('{"t":"J\xfcrgen"}'), { t: "Jürgen" }],
  ["application/json; charset=koi8-r", latin1('{"t":"\xf0\xd2\xc9"}'), { t: "При" }],
  ["application/json; charset=sjis-win", latin1('{"t":"\x93\xfa\x96\x7b"}'), { t: "日本" }],
  ["application/json", JIS, "日本"],
  // A charset that nobody knows, or in quotes, is no reason to refuse what can be read.
  ["application/json; charset=utf8mb4", utf8('{"t":"Jürgen"}'), { t: "Jürgen" }],
  ["application/json; charset=klingon", utf8('{"t":"Jürgen"}'), { t: "Jürgen" }],
  ['application/json; charset="utf-8"', utf8('{"t":"ü"}'), { t: "ü" }],
  ["application/json; charset='utf-8'", utf8('{"t":"ü"}'), { t: "ü" }],
  ['application/json; charset=" ISO-8859-1 "', latin1('{"t":"\xfc"}'), { t: "ü" }],
  ["application/json; charset=", utf8('{"t":"ü"}'), { t: "ü" }],
  ["application/json;charset=utf-8;charset=latin1", utf8('{"t":"ü"}'), { t: "ü" }],
  ["application/x-ndjson; charset=x", utf8('{"t":"ü"}'), [{ t: "ü" }]],
  ["text/plain; charset=klingon", utf8("Grüße"), "Grüße"],
  ["text/plain; charset='iso-8859-1'", latin1("Gr\xfc\xdfe"), "Grüße"],
  ["text/plain; charset=hz-gb-2312", latin1("~{VPND~}"), "中文"],
  ["text/xml; charset=x-mac-ce", latin1("<a>\xeblu\xe9</a>"), { a: "Žluť" }],
  ["text/x-json; charset=utf-8", utf8('{"t":"ü"}'), { t: "ü" }],
  // Byte order marks.
  ["application/json", utf8('\uFEFF{"t":"ü"}'), { t: "ü" }],
  ["application/json", utf16('{"t":"ü"}'), { t: "ü" }],
  ["application/json", utf16('{"t":"日本"}').swap16(), { t: "日本" }],
  ["application/json; charset=utf-8", utf16('{"t":"ü"}'), { t: "ü" }],
  ["application/json; charset=utf-16le", Buffer.from('{"t":"ü"}', "utf16le"), { t: "ü" }],
  ["application/x-ndjson", utf16('{"t":1}\n{"t":2}'), [{ t: 1 }, { t: 2 }]],
  ["text/plain", utf16("Grüße"), "Grüße"],
  ["text/plain", utf16('{"t":1}'), { t: 1 }],
  ["text/xml", utf16("<a>ü</a>"), { a: "ü" }],
])("%s %#", (type, body, payload) => {
  expect(read(type, body)).toEqual(payload);
});

test.each<[string, Buffer, string]>([
  ["application/json", latin1('{"t":"\xfc"}'), "The body is not valid UTF-8"],
  [
    "application/json; charset=klingon",
    latin1('{"t":"\xfc"}'),
    "not valid UTF-8, and the charset that it names is not known",
  ],
  ["application/json; charset=utf-8", latin1('{"t":"\xfc"}'), "not valid in the charset it names"],
  ["text/plain; charset=shift_jis", latin1("\x93\xfa\x93"), "not valid in the charset it names"],
  ["text/plain; charset=klingon", latin1("\xfc"), "charset that it names is not known"],
  ["application/x-ndjson; charset=x", latin1('{"t":"\xfc"}'), "charset that it names is not known"],
  ["text/xml; charset=klingon", latin1("<a>\xfc</a>"), "not valid in its charset"],
  ["application/x-www-form-urlencoded", utf8("a=1&b=%FC"), "field 2 is not UTF-8"],
  ["application/x-www-form-urlencoded; charset=klingon", utf8("b=%FC"), "field 1 is not UTF-8"],
  ["application/x-www-form-urlencoded; charset=shift_jis", utf8("b=%93"), "field 1 is not UTF-8, nor in a charset"],
])("what is not text in %s is refused, not guessed at: %#", (type, body, detail) => {
  expect(read(type, body)).toContain(detail);
});

const FORM = "application/x-www-form-urlencoded";

test.each<[string, Buffer, [string, string][]]>([
  [
    `${FORM}; charset=iso-8859-1`,
    utf8("name=Jos%E9&city=K%F6ln"),
    [
      ["name", "José"],
      ["city", "Köln"],
    ],
  ],
  [`${FORM}; charset="windows-1251"`, utf8("n=%CF%F0%E8"), [["n", "При"]]],
  [`${FORM}; charset=Shift_JIS`, utf8("%93%FA=%96%7B"), [["日", "本"]]],
  [`${FORM}; charset=iso-2022-jp`, utf8("n=%1B%24BF%7CK%5C%1B%28B"), [["n", "日本"]]],
  [`${FORM}; charset=iso-8859-1`, utf8("name=Jos%C3%A9"), [["name", "José"]]],
  [`${FORM}; charset=iso-8859-1`, latin1("name=Jos\xe9+K%F6ln"), [["name", "José Köln"]]],
  [
    FORM,
    utf8("_charset_=iso-8859-1&name=Jos%E9"),
    [
      ["_charset_", "iso-8859-1"],
      ["name", "José"],
    ],
  ],
  [
    FORM,
    utf8("name=Jos%E9&_charset_=windows-1252"),
    [
      ["name", "José"],
      ["_charset_", "windows-1252"],
    ],
  ],
  [
    `${FORM}; charset=utf-8`,
    utf8("_charset_=iso-8859-1&name=Jos%E9"),
    [
      ["_charset_", "iso-8859-1"],
      ["name", "José"],
    ],
  ],
  [
    `${FORM}; charset=iso-8859-1`,
    utf8("_charset_=klingon&name=Jos%E9"),
    [
      ["_charset_", "klingon"],
      ["name", "José"],
    ],
  ],
  [
    FORM,
    utf8("\uFEFFa=1&b=2"),
    [
      ["a", "1"],
      ["b", "2"],
    ],
  ],
  [
    FORM,
    utf8("%EF%BB%BFa=1&b=2"),
    [
      ["a", "1"],
      ["b", "2"],
    ],
  ],
  [
    FORM,
    utf16("a=1&b=%C3%BC"),
    [
      ["a", "1"],
      ["b", "ü"],
    ],
  ],
  [`${FORM}; charset=utf-8`, utf8("a=%EF%BB%BF1"), [["a", "\uFEFF1"]]],
])("the form %s %#", (type, body, fields) => {
  expect(read(type, body)).toEqual(fields);
});

/** A multipart form of these parts, each as its header fields and its bytes, in chunks of `size`. */
async function receive(parts: readonly (readonly [header: string, body: Buffer])[], size = 7, before = "") {
  const body = Buffer.concat([
    utf8(before),
    ...parts.flatMap(([header, content]) => [latin1(`--xY\r\n${header}\r\n\r\n`), content, utf8("\r\n")]),
    utf8("--xY--\r\n"),
  ]);
  async function* chunks() {
    for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
  }
  const limits = { fields: 1_000, files: 100, fieldBytes: 1_000_000 };
  return receiveFiles(
    chunks(),
    boundaryOf("multipart/form-data; boundary=xY") ?? "",
    { limits, receivedAt: 0, sink: undefined },
    async () => {},
  );
}
const field = (name: string, more = "") => `Content-Disposition: form-data; name="${name}"${more}`;
const charset = (label: string) => `\r\nContent-Type: text/plain; charset=${label}`;

test.each<[string, (readonly [string, Buffer])[], [string, string][]]>([
  ["UTF-8", [[field("a"), utf8("Grüße")]], [["a", "Grüße"]]],
  ["UTF-8 under a label", [[field("a", charset("iso-8859-1")), utf8("Grüße")]], [["a", "Grüße"]]],
  ["a label", [[field("a", charset('"ISO-8859-1"')), latin1("Gr\xfc\xdfe")]], [["a", "Grüße"]]],
  ["a label that nobody knows on UTF-8", [[field("a", charset("klingon")), utf8("Grüße")]], [["a", "Grüße"]]],
  [
    "_charset_ first",
    [
      [field("_charset_"), utf8("iso-8859-1")],
      [field("a"), latin1("Gr\xfc\xdfe")],
    ],
    [
      ["_charset_", "iso-8859-1"],
      ["a", "Grüße"],
    ],
  ],
  [
    "_charset_ last",
    [
      [field("a"), latin1("Gr\xfc\xdfe")],
      [field("_charset_"), utf8("ISO-8859-1\r\n")],
    ],
    [
      ["a", "Grüße"],
      ["_charset_", "ISO-8859-1\r\n"],
    ],
  ],
  [
    "_charset_ that is not true",
    [
      [field("_charset_"), utf8("iso-8859-1")],
      [field("a"), utf8("Grüße – 日本")],
    ],
    [
      ["_charset_", "iso-8859-1"],
      ["a", "Grüße – 日本"],
    ],
  ],
  [
    "_charset_ and a label of its own",
    [
      [field("_charset_"), utf8("shift_jis")],
      [field("a", charset("koi8-r")), latin1("\xf0\xd2\xc9")],
      [field("b"), latin1("\x93\xfa")],
    ],
    [
      ["_charset_", "shift_jis"],
      ["a", "При"],
      ["b", "日"],
    ],
  ],
  [
    "_charset_ for names, too",
    [
      [field("_charset_"), utf8("shift_jis")],
      [field("\x93\xfa"), latin1("\x96\x7b")],
    ],
    [
      ["_charset_", "shift_jis"],
      ["日", "本"],
    ],
  ],
  [
    "_charset_ of seven bits",
    [
      [field("_charset_"), utf8("iso-2022-jp")],
      [field("a"), JIS],
    ],
    [
      ["_charset_", "iso-2022-jp"],
      ["a", '"日本"'],
    ],
  ],
  ["a byte order mark in a field", [[field("a"), utf8("\uFEFFx")]], [["a", "x"]]],
])("fields of a multipart form: %s", async (_, parts, fields) => {
  expect(await receive(parts)).toEqual({ kind: "form", fields, files: [] });
});

test("a byte order mark before a multipart form is no preamble that swallows its first part", async () => {
  for (const size of [1, 2, 3, 4, 1_000])
    expect(
      await receive(
        [
          [field("a"), utf8("1")],
          [field("b"), utf8("2")],
        ],
        size,
        "\uFEFF",
      ),
    ).toMatchObject({
      kind: "form",
      fields: [
        ["a", "1"],
        ["b", "2"],
      ],
    });
});

test("names of files are in the form's charset as well", async () => {
  const reading = await receive([
    [field("_charset_"), utf8("shift_jis")],
    [field("\x93\xfa", '; filename="C:\\\x96\x7b.txt"'), latin1("x")],
  ]);
  expect(reading).toMatchObject({ kind: "form", files: [{ field: "日", filename: "本.txt" }] });
});

test.each([
  ["no charset", [[field("a"), latin1("\xfc")]] as const],
  ["a charset that nobody knows", [[field("a", charset("klingon")), latin1("\xfc")]] as const],
  [
    "a _charset_ that nobody knows",
    [
      [field("_charset_"), utf8("klingon")],
      [field("a"), latin1("\xfc")],
    ] as const,
  ],
  ["a charset that it is not in", [[field("a", charset("shift_jis")), latin1("\x93")]] as const],
])("a field that is no text under %s refuses the form", async (_, parts) => {
  expect(await receive(parts)).toMatchObject({
    kind: "malformed",
    detail: expect.stringContaining("is not valid in its charset"),
  });
});
