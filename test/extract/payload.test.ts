import { describe, expect, test } from "vitest";

import { extractItems } from "../../src/extract/items.ts";
import { choosePayload } from "../../src/extract/payload.ts";
import type { HookOptions } from "../../src/model/hook-options.ts";
import type { WrittenPart } from "../support/mail-parts.ts";
import { partsOf } from "../support/mail-parts.ts";

const LIMITS = { jsonDepth: 512, items: 1_000, htmlDepth: 512, htmlNodes: 250_000 };

interface Asked extends Partial<Pick<HookOptions, "select" | "jsonld" | "schema">> {
  readonly key?: string;
  readonly header?: string;
}

async function choose(parts: readonly WrittenPart[], { key, header, ...options }: Asked = {}) {
  const extraction = extractItems(partsOf(parts), {
    repair: true,
    limits: LIMITS,
    ...(header !== undefined && { hookKeyHeader: header }),
  });
  return choosePayload(extraction, { jsonld: "as-sent", ...options }, key);
}

const script = (text: string, type = "application/ld+json", more = "") =>
  `<script type="${type}" ${more}>${text}</script>`;
const html = (body: string): WrittenPart => ({ type: "text/html", body });
const json = (body: string, name = "data.json"): WrittenPart => ({
  type: "application/json",
  body,
  disposition: `attachment; filename="${name}"`,
});
const order = '{"@context":"https://schema.org","@type":"Order","total":1.10}';
const microdata = '<div itemscope itemtype="https://schema.org/Person"><b itemprop="name">Ann</b></div>';

describe("without select the payload is the first of", () => {
  const everything = html(microdata + script('{"script":1}', "application/json") + script(order));
  const text: WrittenPart = { type: "text/plain", body: 'Hi\n\n{"text":1}\n' };

  test("JSON part, JSON-LD script, JSON script, microdata, text, wherever they stand", async () => {
    expect(await choose([text, everything, json('{"part":1}')])).toMatchObject({ value: '{"part":1}' });
    expect(await choose([text, everything])).toMatchObject({ value: order });
    expect(await choose([text, html(microdata + script('{"script":1}', "application/json"))])).toMatchObject({
      value: '{"script":1}',
    });
    expect(await choose([text, html(microdata)])).toMatchObject({ item: { format: "microdata" } });
    expect(await choose([text])).toMatchObject({ value: '{"text":1}' });
  });

  test("and a value counts in the best of the places where it stood", async () => {
    const parts = [
      { type: "text/plain", body: order },
      html(script('{"script":1}', "application/json") + script(order)),
    ];
    expect(await choose(parts)).toMatchObject({ value: order, item: { source: { part: "1" } } });
  });
});

describe("select by type", () => {
  test.each([
    "Order",
    "order",
    "schema:Order",
    "schema.org/Order",
    "http://schema.org/Order",
    "HTTPS://WWW.SCHEMA.ORG/ORDER/",
  ])("finds an Order however it is spelled: %s", async (type) => {
    expect(await choose([html(script('{"a":1}') + script(order))], { select: { type } })).toMatchObject({
      value: order,
    });
  });

  test("takes a node out of @graph with the document's context, and its digits", async () => {
    const graph =
      '{"@context": {"@vocab":"http://schema.org/"}, "@graph": [{"@type":"Person"}, {"@type":"Order","total":1.10,"total":2.00}]}';
    expect(await choose([html(script(graph))], { select: { type: "Order" } })).toMatchObject({
      value: '{"@context":{"@vocab":"http://schema.org/"},"@type":"Order","total":1.10,"total":2.00}',
    });
  });

  test("takes a node out of an array as it stands there", async () => {
    const array = `[{"@context":"https://schema.org","@type":"Person"}, ${order}]`;
    expect(await choose([html(script(array))], { select: { type: "Order" } })).toMatchObject({ value: order });
  });

  test("looks at top-level nodes only, and says what there was instead", async () => {
    const nested = '{"@context":"https://schema.org","@type":"Person","owns":{"@type":"Order"}}';
    expect(await choose([html(script(nested))], { select: { type: "Order" } })).toMatchObject({
      kind: "nothing",
      code: "nothing-extracted",
      detail: 'select {"type":"Order"} fits no item; found: https://schema.org/Person',
    });
  });

  test("of another vocabulary does not take schema.org's", async () => {
    expect(await choose([html(script(order))], { select: { type: "https://shop.example/Order" } })).toMatchObject({
      kind: "nothing",
    });
  });
});

describe("select by format and file name", () => {
  test("format json takes plain JSON past JSON-LD", async () => {
    expect(
      await choose([html(script(order) + script("[1]", "application/json"))], { select: { format: "json" } }),
    ).toMatchObject({ value: "[1]" });
  });

  test("a file name is a glob in any case", async () => {
    const parts = [json("1", "a.json"), json("2", "Order-17.JSON")];
    expect(await choose(parts, { select: { filename: "order-*.json" } })).toMatchObject({ value: "2" });
    expect(await choose(parts, { select: { filename: "*.xml" } })).toMatchObject({
      kind: "nothing",
      code: "nothing-extracted",
    });
  });
});

describe("key", () => {
  const keyed = html(
    script("[1]", "application/json", 'data-kustomer-key="other"') +
      script("[2]", "application/json", 'data-kustomer-key="right"'),
  );

  test("only items under the right key count", async () => {
    expect(await choose([json("0"), keyed], { key: "right" })).toMatchObject({
      value: "[2]",
      items: [{ value: "[2]" }],
    });
  });

  test("an X-Hook-Key header holds for the whole mail, beside a script's own key", async () => {
    expect(await choose([keyed], { key: "right", header: "right" })).toMatchObject({
      value: "[1]",
      items: { length: 2 },
    });
  });

  test("a value that stands under a wrong key and under the right one counts where the key is right", async () => {
    const both = html(
      script("[1]", "application/json", 'data-kustomer-key="other"') +
        script("[1]", "application/json", 'data-kustomer-key="right"'),
    );
    expect(await choose([both], { key: "right" })).toMatchObject({ value: "[1]" });
  });

  test("no key and a wrong key are key-mismatch, and the detail tells no key", async () => {
    for (const parts of [[json("0")], [keyed]]) {
      const choice = await choose(parts, { key: "secret" });
      expect(choice).toMatchObject({ kind: "nothing", code: "key-mismatch" });
      expect(JSON.stringify(choice)).not.toMatch(/right|other|secret/);
    }
  });
});

describe("nothing to publish", () => {
  test("a damaged JSON part or script and no item is invalid-json, with line and column", async () => {
    for (const part of [json('{"a":\nnope}'), html(script('{"a":\nnope}'))]) {
      const choice = await choose([part]);
      expect(choice).toMatchObject({ kind: "nothing", code: "invalid-json" });
      expect(choice).toHaveProperty("detail", expect.stringContaining("line 2, column 1: a value is expected"));
    }
  });

  test("damaged JSON in prose is nothing-extracted, because prose promised nothing", async () => {
    expect(await choose([{ type: "text/plain", body: 'Hi\n{"a": nope}\n' }])).toMatchObject({
      code: "nothing-extracted",
    });
  });

  test("an item beside a damaged part is published", async () => {
    expect(await choose([json("{nope"), html(script(order))])).toMatchObject({ kind: "payload", value: order });
  });

  test("the detail says what was looked at, and names a manual Gmail forward", async () => {
    const forward =
      '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: <b>Shop</b><br></div>Your order</div>';
    const choice = await choose([
      { type: "text/plain", body: "see below" },
      html(forward),
      { type: "image/png", body: "x" },
    ]);
    expect(choice).toMatchObject({ code: "nothing-extracted" });
    const detail = "detail" in choice ? choice.detail : "";
    for (const said of [
      "part 1 (text/plain)",
      "part 2 (text/html)",
      "part 3 (image/png)",
      "forwarded by hand from Gmail",
      "strips",
    ])
      expect(detail).toContain(said);
  });

  test("a limit that was passed is named, whatever was found before", async () => {
    const parts = [json("1"), json("[".repeat(513) + "]".repeat(513))];
    expect(await choose(parts)).toMatchObject({
      code: "limit-exceeded",
      detail: expect.stringMatching(/^json-depth: /),
    });
  });
});

describe("schema", () => {
  const schema = { type: "object", required: ["total"], properties: { total: { type: "number", multipleOf: 0.01 } } };

  test("what meets it is published as sent", async () => {
    expect(await choose([json('{"total": 1.10}')], { schema })).toMatchObject({
      kind: "payload",
      value: '{"total": 1.10}',
    });
  });

  test("what fails it says where and why", async () => {
    expect(await choose([json('{"lines": []}')], { schema })).toMatchObject({
      kind: "schema-failed",
      detail: "/total is required",
      problems: [{ pointer: "/total", message: "is required" }],
    });
  });

  test("sees the last of two members of one name", async () => {
    expect(await choose([json('{"total": "x", "total": 2}')], { schema })).toMatchObject({ kind: "payload" });
    expect(await choose([json('{"total": 2, "total": "x"}')], { schema })).toMatchObject({ kind: "schema-failed" });
  });

  test("sees no members that every object inherits", async () => {
    const inherited = { required: ["constructor", "__proto__"] };
    expect(await choose([json("{}")], { schema: inherited })).toMatchObject({ kind: "schema-failed" });
  });

  test("takes numbers beyond doubles for the numbers they are", async () => {
    const big = { items: { type: "integer", minimum: 1 } };
    expect(await choose([json("[12345678901234567890, 1E3]")], { schema: big })).toMatchObject({ kind: "payload" });
  });

  test("runs patterns in linear time, also one that would keep a backtracking engine busy for years", async () => {
    const evil = { properties: { name: { pattern: "^(a+)+$" } } };
    expect(await choose([json(`{"name": "${"a".repeat(50_000)}!"}`)], { schema: evil })).toMatchObject({
      kind: "schema-failed",
    });
  });

  test("that cannot be used says so, instead of losing or passing mail", async () => {
    for (const broken of [
      { $ref: "https://shop.example/schema.json" },
      { pattern: "(?=x)" },
      { type: "nonsense" },
      { $async: true },
    ]) {
      const choice = await choose([json('"x"')], { schema: broken });
      expect(choice).toMatchObject({
        kind: "schema-unusable",
        detail: expect.stringContaining("the hook's schema cannot be used"),
      });
    }
  });

  test("of one $id may come in two versions, as after an upgrade", async () => {
    const version = (type: string) => ({ $id: "https://shop.example/order", type });
    expect(await choose([json("1")], { schema: version("number") })).toMatchObject({ kind: "payload" });
    expect(await choose([json("1")], { schema: version("string") })).toMatchObject({ kind: "schema-failed" });
  });
});

describe("jsonld", () => {
  test("gives JSON-LD in the form asked for, digits kept, and leaves plain JSON alone", async () => {
    expect(await choose([html(script(order))], { jsonld: "expand" })).toMatchObject({
      value: expect.stringMatching(/"http:\/\/schema\.org\/total":\[\{"@value":1\.10\}\]/),
    });
    expect(await choose([json('{"total":1.10}')], { jsonld: "expand" })).toMatchObject({ value: '{"total":1.10}' });
  });

  test("leaves a document with an unknown context as sent", async () => {
    const unknown = '{"@context":"https://shop.example/context","@type":"Order"}';
    expect(await choose([html(script(unknown))], { jsonld: "compact" })).toMatchObject({
      value: unknown,
      item: { context: "unknown" },
    });
  });
});
