import { expect, test } from "vitest";

import { findMicrodata } from "../../src/extract/microdata.ts";

const limits = { htmlDepth: 512, htmlNodes: 20_000 };

/** The items of a page with their values as parsed JSON. */
function itemsIn(html: string, baseUrl?: string): unknown {
  const reading = findMicrodata(html, baseUrl, limits);
  if (reading.kind !== "items") return reading;
  return reading.items.map((item) => ({ ...item, value: JSON.parse(item.value) as unknown }));
}

function valueOf(body: string): unknown {
  const items = itemsIn(`<div itemscope>${body}</div>`) as { value: Record<string, unknown> }[];
  return items[0]?.value["p"];
}

test.each([
  ["<meta itemprop=p content=x>", "x"],
  ["<meta itemprop=p>", ""],
  ["<img itemprop=p src='a b.png'>", "a b.png"],
  ["<video itemprop=p src=http://a.example/v></video>", "http://a.example/v"],
  ["<object itemprop=p data=http://a.example/o></object>", "http://a.example/o"],
  ["<a itemprop=p href=http://a.example>t</a>", "http://a.example/"],
  ["<a itemprop=p>t</a>", ""],
  ["<data itemprop=p value=7>seven</data>", "7"],
  ["<meter itemprop=p value=0.5>half</meter>", "0.5"],
  ["<time itemprop=p datetime=2026-01-01>new year</time>", "2026-01-01"],
  ["<time itemprop=p> 2026 </time>", "2026"],
  ["<span itemprop=p content=10>ten</span>", "10"],
  ["<span itemprop=p>\n a<b>b</b>\n</span>", "ab"],
  ["<div itemprop=p>a<div>b</div></div>", "ab"],
])("the value of %s", (element, value) => {
  expect(valueOf(element)).toBe(value);
});

test("an item in its own contents is named instead of being followed for ever", () => {
  const html = `<div itemscope id=a itemid="urn:a"><div itemscope itemprop=child id=b itemref=c></div></div>
    <div id=c itemscope itemprop=back itemref=b></div>`;
  expect(itemsIn(html)).toMatchObject([{ value: { "@id": "urn:a", child: { back: { child: "ERROR" } } } }]);
});

test("an item that nothing refers to is no item at the top when it is a property", () => {
  expect(itemsIn("<div itemprop=x itemscope><i itemprop=y>z</i></div>")).toEqual([]);
});

test("a block that ends its paragraph for the parser stays in the item that the author wrote around it", () => {
  const html = `<p itemscope>a<i itemprop=x>1</i><div itemprop=y itemscope><b itemprop=z>2</b></div></p><p itemprop=no>3</p>`;
  expect(itemsIn(html)).toMatchObject([{ value: { x: "1", y: { z: "2" } } }]);
});

test("properties between table rows stay in the item of their table", () => {
  const html = `<table itemscope><tr><td><b itemprop=x>1</b></td></tr><meta itemprop=y content=2><tr itemprop=z itemscope><link itemprop=u href=http://a.example/><td itemprop=v>3</td></tr></table>`;
  expect(itemsIn(html)).toMatchObject([{ value: { x: "1", y: "2", z: { u: "http://a.example/", v: "3" } } }]);
});

test.each(["https://www.schema.org/", "//schema.org/", "schema.org/"])("%s is schema.org", (address) => {
  const html = `<div itemscope itemtype="${address}Order"><meta itemprop="${address}price" content=1></div>`;
  const value = { "@context": "https://schema.org", "@type": "Order", price: "1" };
  expect(itemsIn(html)).toMatchObject([{ types: ["https://schema.org/Order"], value, quoted: false }]);
});

test("items in a template are none", () => {
  expect(itemsIn("<template><div itemscope></div></template>")).toEqual([]);
});

test("a page without the word is not read at all, and the word in a text makes no item", () => {
  expect(itemsIn("<div>".repeat(100_000))).toEqual([]);
  expect(itemsIn("<p>itemscope</p>")).toEqual([]);
});

test("nesting past the limit is named", () => {
  expect(itemsIn(`${"<div>".repeat(100_000)}<p itemscope>`)).toMatchObject({ kind: "limit", limit: "html-depth" });
});

test("more elements than the limit are named, also those the parser makes by repeating formatting elements", () => {
  expect(itemsIn(`<p itemscope>${"<br>".repeat(20_000)}`)).toMatchObject({ kind: "limit", limit: "html-nodes" });
  const repeated = Array.from({ length: 300 }, (_, i) => `<p><font color=${i}>`).join("");
  expect(itemsIn(`<i itemscope>${repeated}`)).toMatchObject({ kind: "limit" });
});

test("items that share their parts, level by level twice, end in a limit", () => {
  const levels = Array.from(
    { length: 64 },
    (_, i) => `<div id=l${i}>${`<div itemprop=x itemscope itemref=l${i + 1}></div>`.repeat(2)}</div>`,
  );
  expect(itemsIn(`<div itemscope itemref=l0></div>${levels.join("")}`)).toMatchObject({
    kind: "limit",
    limit: "html-nodes",
  });
});

test("properties that each repeat the text below them end in a limit", () => {
  const html = `<div itemscope>${"<b itemprop=x><div>".repeat(200)}${"text ".repeat(100_000)}</div>`;
  expect(itemsIn(html)).toMatchObject({ kind: "limit", limit: "html-nodes" });
});
