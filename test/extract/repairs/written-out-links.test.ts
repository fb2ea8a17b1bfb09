import { expect, test } from "vitest";

import { extract } from "../../../src/library.ts";
import { takeOffLinks } from "../../../src/extract/repairs/written-out-links.ts";

test.each([
  ["ada@shop.example<mailto:ada@shop.example>", "ada@shop.example"],
  ["ada@shop.example <mailto:ada@shop.example>", "ada@shop.example"],
  ["ada@shop.example\r\n <mailto:ada@shop.example>", "ada@shop.example"],
  ["Ada@Shop.example<mailto:ada@shop.example?subject=Order>", "Ada@Shop.example"],
  ["ada+x@shop.example<mailto:ada%2Bx@shop.example>", "ada+x@shop.example"],
  ["https://shop.example/?a=1&b=2<https://shop.example/?a=1&b=2>", "https://shop.example/?a=1&b=2"],
  ["https://shop.example <https://shop.example/>", "https://shop.example"],
  ["https://shop.example/\n<https://shop.example/>", "https://shop.example/"],
  ["https:\\/\\/shop.example\\/o<https://shop.example/o>", "https:\\/\\/shop.example\\/o"],
  ["www.shop.example<http://www.shop.example/>", "www.shop.example"],
  ["shop.example/o/1<https://shop.example/o/1>", "shop.example/o/1"],
  ["+4930123456<tel:+4930123456>", "+4930123456"],
  ["+49 (30) 123-456<tel:+4930123456>", "+49 (30) 123-456"],
  ["ada@shop.example (mailto:ada@shop.example)", "ada@shop.example"],
  ["https://shop.example/a(b)<https://shop.example/a(b)>", "https://shop.example/a(b)"],
  ['"https://shop.example/o"<https://shop.example/o%22>', '"https://shop.example/o"'],
  ["https://shop.example/o [https://shop.example/o]", "https://shop.example/o"],
  [
    "https://shop.example/o<https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.example%2Fo&data=05%7C01&reserved=0>",
    "https://shop.example/o",
  ],
  ['"ada@shop.example"<mailto:ada@shop.example>,', '"ada@shop.example",'],
  ["a@b.example<mailto:a@b.example>, c@d.example<mailto:c@d.example>", "a@b.example, c@d.example"],
])("%j loses its link", (text, without) => {
  expect(takeOffLinks(text)).toBe(without);
  expect(takeOffLinks(`"x": "${text}" }`)).toBe(`"x": "${without}" }`);
});

test.each([
  ["what the link is all there is of", "Shop <https://shop.example/>"],
  ["another address", "ada@shop.example <mailto:bob@shop.example>"],
  ["an address that ends like it", "mada@shop.example<mailto:ada@shop.example>"],
  ["an address in its mail form", "ada@shop.example <ada@shop.example>"],
  ["a link that is never closed", "ada@shop.example<mailto:ada@shop.example"],
  ["brackets of two kinds", "ada@shop.example<mailto:ada@shop.example]"],
  ["another number", "+49 30 123<tel:+4930124>"],
  ["a link of Markdown", "[https://shop.example/a](https://shop.example/b)"],
  ["a link alone", "<https://shop.example/>"],
  ["a list of links", "<https://shop.example/>; rel=next"],
])("%s stays: %j", (_, text) => {
  expect(takeOffLinks(text)).toBe(text);
});

const plain = (body: string, type = "text/plain; charset=utf-8") =>
  Buffer.from(`From: shop@shop.example\r\nSubject: x\r\nContent-Type: ${type}\r\n\r\n${body}`);

test.each([
  ["the whole text", '{"mail":"ada@shop.example<mailto:ada@shop.example>","n":1.10}'],
  ["amid prose", 'Hello,\r\n\r\n{"mail":"ada@shop.example<mailto:ada@shop.example>","n":1.10}\r\n\r\nBye'],
  ["in a quote", '> {"mail":"ada@shop.example <mailto:ada@shop.example>","n":1.10}'],
  ["in a fence", '```\r\n{"mail":"ada@shop.example<mailto:ada@shop.example>","n":1.10}\r\n```'],
  ["wrapped", '{"mail":"ada@shop.example\r\n<mailto:ada@shop.example>","n":1.10}'],
])("links in the JSON of a text are taken off, and named: %s", async (_, body) => {
  const { items } = await extract(plain(body), { as: "mail" });
  expect(items).toMatchObject([{ json: '{"mail":"ada@shop.example","n":1.10}', repaired: ["written-out-link"] }]);
});

test("only the item that had one is named repaired; strictly, none is taken off", async () => {
  const body = '{"a":1}\r\n{"mail":"a@b.example<mailto:a@b.example>"}';
  expect((await extract(plain(body), { as: "mail" })).items.map(({ repaired }) => repaired)).toEqual([
    [],
    ["written-out-link"],
  ]);
  expect((await extract(plain(body), { as: "mail", strict: true })).items).toMatchObject([
    { repaired: [] },
    { json: '{"mail":"a@b.example<mailto:a@b.example>"}', repaired: [] },
  ]);
});

test("in a JSON part they are the sender's, where it is valid as it stands", async () => {
  const valid = '{"mail":"a@b.example<mailto:a@b.example>"}';
  expect((await extract(plain(valid, "application/json"), { as: "mail" })).items).toMatchObject([
    { json: valid, repaired: [] },
  ]);
  const damaged = '{"mail":"a@b.example"<mailto:a@b.example>}';
  expect((await extract(plain(damaged, "application/json"), { as: "mail" })).items).toMatchObject([
    { json: '{"mail":"a@b.example"}', repaired: ["written-out-link"] },
  ]);
});

test("text and HTML of one mail are one item again", async () => {
  const mail = `From: shop@shop.example\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{"url":"https://shop.example/<https://shop.example/>"}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{&quot;url&quot;:&quot;<a href="https://shop.example/">https://shop.example/</a>&quot;}</p>\r\n--b--\r\n`;
  expect((await extract(Buffer.from(mail))).items).toHaveLength(1);
});
