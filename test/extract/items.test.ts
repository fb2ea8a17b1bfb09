import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { extractItems } from "../../src/extract/items.ts";
import type { Extraction } from "../../src/model/item.ts";
import { anyJson, anyJsonObject } from "../support/any-json.ts";
import type { WrittenPart } from "../support/mail-parts.ts";
import { partsOf } from "../support/mail-parts.ts";

const LIMITS = { jsonDepth: 512, items: 1_000, htmlDepth: 512, htmlNodes: 250_000 };
const read = (parts: readonly WrittenPart[], options: { repair?: boolean; hookKeyHeader?: string } = {}): Extraction =>
  extractItems(partsOf(parts), { repair: true, limits: LIMITS, ...options });
const valuesOf = (extraction: Extraction) => extraction.items.map(({ value }) => value as string);
const script = (text: string, attributes = 'type="application/ld+json"') => `<script ${attributes}>${text}</script>`;

describe("parts that are JSON", () => {
  test.each([
    ["application/json", undefined, "json"],
    ["text/json; charset=utf-8", undefined, "json"],
    ["application/vnd.shop.order+json", undefined, "json"],
    ["application/ld+json", undefined, "json-ld"],
    ["application/octet-stream", 'attachment; filename="Order.JSON"', "json"],
    ["application/octet-stream", 'attachment; filename="order.jsonld"', "json-ld"],
    ["text/plain", 'attachment; filename="order.json"', "json"],
  ])("%s %s is one item of format %s", (type, disposition, format) => {
    const { items } = read([{ type, body: '{"total": 1.10}', ...(disposition !== undefined && { disposition }) }]);
    expect(items).toMatchObject([{ format, value: '{"total": 1.10}', source: { part: "1", element: null } }]);
  });

  test("any value counts there, null and false too; an empty part is no item", () => {
    const parts = ["null", "false", '"x"', "1.0", " \r\n"].map((body) => ({ type: "application/json", body }));
    expect(valuesOf(read(parts))).toEqual(["null", "false", '"x"', "1.0"]);
  });

  test("a context makes JSON-LD of any JSON, and types are absolute", () => {
    const body = '{"@context": "http://schema.org/", "@type": ["Order", "https://shop.example/Vip"]}';
    expect(read([{ type: "application/json", body }]).items).toMatchObject([
      { format: "json-ld", types: ["https://schema.org/Order", "https://shop.example/Vip"] },
    ]);
  });

  test("lines of ndjson are one item each, and a damaged line is skipped with its number", () => {
    const { items, skipped } = read([{ type: "application/x-ndjson", body: '{"a":1}\r\n\r\n{"a":nope}\r\n[2]\r\n' }]);
    expect(items.map(({ value }) => value)).toEqual(['{"a":1}', "[2]"]);
    expect(skipped).toMatchObject([{ line: 3, column: 6, reason: "a value is expected" }]);
  });

  test("a mark before UTF-8 is mended by name, and refused without repairs", () => {
    const parts = [{ type: "application/json", body: '\uFEFF{"a":1}' }];
    expect(read(parts).items).toMatchObject([{ value: '{"a":1}', repaired: ["bom"] }]);
    expect(read(parts, { repair: false }).skipped).toMatchObject([{ line: 1, column: 1 }]);
  });

  test("what a relay cut at 998 octets is put together by name", () => {
    const whole = `{"note": "${"x".repeat(1_200)}", "n": 1.10}`;
    const cut = `${whole.slice(0, 998)}\r\n ${whole.slice(998)}`;
    for (const type of ["application/json", "text/plain"])
      expect(read([{ type, body: cut }]).items).toMatchObject([{ value: whole, repaired: ["rejoined-998"] }]);
    expect(
      read([
        { type: "text/html", body: script(cut).replace('<script type="application/ld+json">', (tag) => `${tag}\r\n`) },
      ]).items,
    ).toMatchObject([{ value: whole, repaired: ["rejoined-998"] }]);
  });

  test("what Sendmail cut with an exclamation mark is put together by name", () => {
    const whole = `{"note": "${"x".repeat(1_200)}"}`;
    const cut = `${whole.slice(0, 989)}!\r\n ${whole.slice(989)}`;
    expect(read([{ type: "text/plain", body: cut }]).items).toMatchObject([
      { value: whole, repaired: ["rejoined-sendmail"] },
    ]);
  });
});

describe("HTML parts", () => {
  test("give their scripts in order, then microdata, and no JSON of their text beside them", () => {
    const body = `<pre>{"in": "pre"}</pre>${script('{"a":1}', 'type="application/json"')}${script('{"@type":"Order","@context":"https://schema.org"}', 'type="application/ld+json; charset=utf-8"')}<div itemscope itemtype="http://schema.org/Person"><b itemprop="name">Ann</b></div>`;
    const { items } = read([{ type: "text/html", body }]);
    expect(items.map(({ format, source, types }) => [format, source.element, ...types])).toEqual([
      ["json", "script"],
      ["json-ld", "script", "https://schema.org/Order"],
      ["microdata", "microdata", "https://schema.org/Person"],
    ]);
  });

  test("give the JSON in their text where nothing else was found", () => {
    const body = '<p>Hi {name}</p><pre>{"a": 1.10,\n "b": [2]}</pre><p>Bye</p>';
    expect(read([{ type: "text/html", body }]).items).toMatchObject([
      { value: '{"a": 1.10,\n "b": [2]}', source: { element: "pre" } },
    ]);
  });

  test("in AMP form are read like any other", () => {
    expect(valuesOf(read([{ type: "text/x-amp-html", body: script('{"a":1}') }]))).toEqual(['{"a":1}']);
  });

  test("with a damaged script beside a good one give the good one, and the other is skipped with its place", () => {
    const { items, skipped } = read([{ type: "text/html", body: script('{"a":1}') + script('{"b":\nnope}') }]);
    expect(items).toHaveLength(1);
    expect(skipped).toMatchObject([{ source: { part: "1", element: "script" }, line: 2, column: 1 }]);
  });

  test("say of items behind a forward's mark that they were forwarded", () => {
    const mark = '<div class="gmail_attr">---------- Forwarded message ---------<br>From: <b>Ann</b></div>';
    const { items } = read([{ type: "text/html", body: script('{"a":1}') + mark + script('{"b":1}') }]);
    expect(items.map(({ source }) => source.forwarded)).toEqual([false, true]);
  });
});

describe("text parts", () => {
  test("give what stands alone, and say what was quoted or forwarded", () => {
    const body = 'Hi\n\n{"a":1}\n\n> {"b":1}\n\nBegin forwarded message:\n\nFrom: x@y.example\n\n{"c":1}\n';
    const { items } = read([{ type: "text/plain; charset=utf-8", body }]);
    expect(items.map(({ source: { quoted, forwarded } }) => [quoted ?? false, forwarded])).toEqual([
      [false, false],
      [true, false],
      [false, true],
    ]);
  });
});

describe("a value that stands in several places", () => {
  test("is one item, the first place wins, the others are remembered", () => {
    const parts = [
      { type: "text/plain", body: '{"b": 2, "a": 1.0}' },
      { type: "text/html", body: script('{"a": 1.0, "b": 2}') + script('{"a": 1, "b": 2}') },
    ];
    const { items } = read(parts);
    expect(items.map(({ value, source }) => [value, source.part])).toEqual([
      ['{"b": 2, "a": 1.0}', "1"],
      ['{"a": 1, "b": 2}', "2"],
    ]);
    expect(items[0]?.repeated).toMatchObject([{ format: "json-ld", source: { part: "2", element: "script" } }]);
  });
});

describe("keys", () => {
  test("are those of the script, and of the header for everything", () => {
    const parts = [
      { type: "text/html", body: script("[1]", 'type="application/json" data-kustomer-key="k1"') + script("[2]") },
    ];
    expect(read(parts).items.map(({ key }) => key)).toEqual(["k1", undefined]);
    const both = read(parts, { hookKeyHeader: "k2" }).items;
    expect(both.map(({ key, repeated }) => [key, ...(repeated ?? []).map((place) => place.key)])).toEqual([
      ["k1", "k2"],
      ["k2"],
    ]);
  });
});

describe("limits", () => {
  test("a thousand items are read, one more is named as passed", () => {
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `{"n":${n}}`).join("\n");
    expect(read([{ type: "application/x-ndjson", body: lines(1_000) }])).toMatchObject({ items: { length: 1_000 } });
    expect(read([{ type: "application/x-ndjson", body: lines(1_001) }]).limit).toMatchObject({ limit: "items" });
  });

  test("JSON that is nested too deep is named with its place", () => {
    const deep = "[".repeat(513) + "]".repeat(513);
    const limit = { limit: "json-depth", detail: "JSON in part 1 (application/json) is nested deeper than 512" };
    expect(read([{ type: "application/json", body: deep }]).limit).toEqual(limit);
    for (const part of [
      { type: "text/html", body: script(deep) },
      { type: "text/plain", body: deep },
    ])
      expect(read([part]).limit?.limit).toBe("json-depth");
  });
});

describe("any JSON, whatever it holds", () => {
  const places: readonly (readonly [string, (json: string) => WrittenPart])[] = [
    ["a JSON part", (body) => ({ type: "application/json", body })],
    [
      "an attachment by name",
      (body) => ({ type: "application/octet-stream", body, disposition: 'attachment; filename="a.json"' }),
    ],
    [
      "a part in UTF-16",
      (json) => ({ type: "application/json; charset=utf-16le", body: Buffer.from(json, "utf16le") }),
    ],
    // A script's text cannot hold its own end, nor what opens a comment there.
    ["a script", (json) => ({ type: "text/html; charset=utf-8", body: script(json.replaceAll("<", "\\u003c")) })],
  ];

  test.each(places)("comes out of %s with every digit", (_name, place) => {
    fc.assert(
      fc.property(anyJson, (json) => {
        const sent = place(json);
        const expected = sent.type.startsWith("text/html") ? json.replaceAll("<", "\\u003c") : json;
        expect(valuesOf(read([sent]))).toEqual([expected]);
      }),
    );
  });

  test.each([
    ["text/plain", (json: string) => `Hello,\n\n${json}\n\n-- \nBob`],
    ["text/html", (json: string) => `<p>Hi</p><pre>${json.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</pre>`],
  ])("and any object out of %s", (type, write) => {
    fc.assert(
      fc.property(anyJsonObject, (json) => {
        // HTML knows no NUL and no raw CR; JSON from JSON.stringify has neither, but other controls may be there.
        expect(valuesOf(read([{ type: `${type}; charset=utf-8`, body: write(json) }]))).toEqual([json]);
      }),
    );
  });
});
