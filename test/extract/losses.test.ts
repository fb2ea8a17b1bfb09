import { expect, test } from "vitest";

import { extract } from "../../src/library.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

/** A mail whose only part has this Content-Type, or fields in its place, and this body, byte for byte. */
function mail(type: string, body: Buffer): Buffer {
  const fields = type.includes(":") ? type : `Content-Type: ${type}`;
  return Buffer.concat([Buffer.from(`From: shop@shop.example\r\nSubject: x\r\n${fields}\r\n\r\n`), body]);
}

const DAMAGED = Buffer.concat([Buffer.from('{"a":"日本語'), latin1("\xe6\x97"), Buffer.from('","n":1.10}')]);
const JIS = latin1('{"t":"\x1b$BF|K\\\x1b(B"}');
/** JSON of one line, in which the octet `at` is the first of a character. */
const longLine = (at: number) => `{"pad":"${"x".repeat(at - 15)}","t":"${"語".repeat(200)}","n":1.10}`;
function cutAt(width: number, between: string, at = width): Buffer {
  const bytes = Buffer.from(longLine(at));
  return Buffer.concat([bytes.subarray(0, width), Buffer.from(between), bytes.subarray(width)]);
}

test.each([
  ["a JSON part without a charset", "application/json", JIS],
  ["one that says us-ascii", "application/json; charset=us-ascii", JIS],
  ["one that says UTF-8", "application/json; charset=utf-8", JIS],
  ["one whose charset nobody knows", "application/json; charset=x-no-such", JIS],
  ["text without a charset", "text/plain", JIS],
  [
    "a script",
    "text/html",
    Buffer.concat([Buffer.from('<script type="application/json">'), JIS, Buffer.from("</script>")]),
  ],
  ["lines", 'text/plain; name="a.ndjson"', JIS],
])("ISO-2022-JP is seen in %s by its escape sequences, and nothing is repaired", async (_, type, body) => {
  const { items } = await extract(mail(type, body), { as: "mail" });
  expect(items).toMatchObject([{ json: '{"t":"日本"}', repaired: [] }]);
});

test.each([
  ["a JSON part", "application/json; charset=utf-8", DAMAGED],
  ["a JSON part without a charset", "application/json", DAMAGED],
  [
    "a JSON part that a repair would read",
    "application/json; charset=utf-8",
    Buffer.concat([DAMAGED.subarray(0, -1), Buffer.from(",}")]),
  ],
  ["a JSON part that says Shift_JIS", "application/json; charset=shift_jis", latin1('{"a":"\x93\xfa\x93"}')],
  ["a JSON part whose charset nobody knows", "application/json; charset=x-no-such", latin1('{"a":"Gr\xfc\xdfe"}')],
  [
    "a script",
    "text/html; charset=utf-8",
    Buffer.concat([Buffer.from('<p>日本語<script type="application/json">'), DAMAGED, Buffer.from("</script>")]),
  ],
  ["a file by its name", 'application/octet-stream; name="a.json"', DAMAGED],
  ["a line of NDJSON", "application/x-ndjson; charset=utf-8", DAMAGED],
])("%s that was decoded with losses is invalid-json, and no payload", async (_, type, body) => {
  const result = await extract(mail(type, body), { as: "mail" });
  expect(result).toMatchObject({ items: [], payload: null, deadLetter: { code: "invalid-json" } });
  expect(result.skipped[0]?.reason).toMatch(/no characters of its charset|not known here/);
});

test.each([
  ["text", "text/plain; charset=utf-8", DAMAGED],
  [
    "microdata",
    "text/html; charset=utf-8",
    Buffer.concat([
      Buffer.from('<div itemscope itemtype="https://schema.org/Order"><b itemprop="name">日本'),
      latin1("\xe6"),
      Buffer.from("</b></div>"),
    ]),
  ],
])("%s that was decoded with losses gives no item", async (_, type, body) => {
  const result = await extract(mail(type, body), { as: "mail" });
  expect(result).toMatchObject({ items: [], payload: null, deadLetter: { code: "nothing-extracted" } });
  expect(result.skipped).toMatchObject([{ reason: "bytes in it are no characters of its charset" }]);
});

test("what stands beside the damage is sound, and repaired as ever", async () => {
  const page = Buffer.concat([
    Buffer.from("<p>日本語"),
    latin1("\xe6"),
    Buffer.from('</p><script type="application/json">{"a":"日本",}</script>'),
  ]);
  const { items } = await extract(mail("text/html; charset=utf-8", page), { as: "mail" });
  expect(items).toMatchObject([{ json: '{"a":"日本"}', repaired: ["trailing-comma"] }]);
});

test.each([
  ["CRLF inside a character", "\r\n", 996],
  ["CRLF and a blank inside a character", "\r\n ", 996],
  ["LF between two characters", "\n", 998],
  ["CRLF behind the first octet of one", "\r\n", 997],
])("JSON that was cut at 998 octets by %s is whole again, by bytes", async (_, between, at) => {
  for (const type of ["application/json; charset=utf-8", "application/json", "text/plain"]) {
    const { items } = await extract(mail(type, cutAt(998, between, at)), { as: "mail" });
    expect(items).toMatchObject([{ json: longLine(at), repaired: ["rejoined-998"] }]);
  }
});

test.each([
  ["another width", cutAt(900, "\r\n", 899)],
  ["another width and a blank", cutAt(900, "\r\n ", 899)],
  [
    "two octets lost there",
    Buffer.concat([cutAt(998, "\r\n", 997).subarray(0, 1_000), cutAt(998, "\r\n", 997).subarray(1_002)]),
  ],
])("JSON that was cut inside a character at %s is invalid-json", async (_, body) => {
  for (const type of ["application/json; charset=utf-8", "application/json"])
    expect(await extract(mail(type, body), { as: "mail" })).toMatchObject({
      payload: null,
      deadLetter: { code: "invalid-json" },
    });
});

test("a U+FFFD that the sender wrote is his", async () => {
  for (const json of ['{"a":"\uFFFD"}', '{"a":"\\ufffd"}'])
    expect(await extract(mail("application/json; charset=utf-8", Buffer.from(json)), { as: "mail" })).toMatchObject({
      payload: { json },
    });
});

test("entities of no character stay as they are written", async () => {
  const { items } = await extract('<script type="application/json">{&quot;a&quot;:&quot;x&#0;&#xD800;&quot;}</script>');
  expect(items).toMatchObject([{ json: '{"a":"x&#0;&#xD800;"}' }]);
});

test("text in a charset that nobody knows is no text: its bytes are an attachment, and the event says so", async () => {
  const { parts, skipped, notes } = await extract(mail("text/plain; charset=x-no-such", latin1("Gr\xfc\xdfe {")), {
    as: "mail",
  });
  expect(parts).toMatchObject([{ mediaType: "text/plain" }]);
  expect(skipped).toMatchObject([
    {
      source: { part: "1", element: "text" },
      reason: expect.stringContaining('its charset "x-no-such" is not known here'),
    },
  ]);
  expect(notes.join("\n")).toContain("x-no-such");
});
