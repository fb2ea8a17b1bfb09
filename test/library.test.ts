import { expect, test } from "vitest";

import { extract } from "../src/library.ts";
import { mailOf } from "./support/mail-parts.ts";

const order = '{"@context":"https://schema.org","@type":"Order","total":1.10,"orderNumber":12345678901234567890}';
const page = `<html><body><script type="application/ld+json">${order}</script></body></html>`;

test.each([
  ["mail", mailOf([{ type: "text/html", body: page }])],
  ["html", Buffer.from(page)],
  ["html", Buffer.from(`just text before\n${page}`)],
  ["json", Buffer.from(order)],
  ["text", Buffer.from(`Hello,\n\n${order}\n\nNote: bye`)],
] as const)("unlabelled bytes are taken for the %s they are, and the digits come out", async (kind, bytes) => {
  const result = await extract(bytes);
  expect(result).toMatchObject({
    kind,
    deadLetter: null,
    payload: { json: order, item: { types: ["https://schema.org/Order"] } },
  });
  expect(result.items).toHaveLength(1);
  expect(result.mail).toEqual(
    kind === "mail" ? { subject: "Order", from: "shop@shop.example", messageId: null } : null,
  );
});

test.each([
  ['"a string"', "json"],
  ["17", "json"],
  ["\uFEFF [1]", "json"],
  ["Note: see below\n\nHello", "text"],
  ["From nobody knows where it came", "text"],
  ["", "text"],
  ["Return-Path: <>\r\nX: y\r\n\r\n", "mail"],
  ["From ann@example.org Mon Nov 23 10:00:00 2026\nSubject: x\n\nHello", "mail"],
])("%j is %s", async (text, kind) => {
  expect((await extract(text)).kind).toBe(kind);
});

test("whoever knows better says what it is", async () => {
  expect(await extract('{"a":1}\n{"a":2}', { as: "ndjson" })).toMatchObject({
    items: [{ json: '{"a":1}' }, { json: '{"a":2}' }],
  });
  expect(await extract("<b>x</b>", { as: "text" })).toMatchObject({ kind: "text", items: [] });
});

test("values are there for convenience, the text for the digits", async () => {
  const { payload } = await extract('{"total": 1.10, "__proto__": 1}');
  expect(payload?.json).toBe('{"total": 1.10, "__proto__": 1}');
  expect(Object.entries(payload?.value as object)).toEqual([
    ["total", 1.1],
    ["__proto__", 1],
  ]);
});

test("options work as a hook's: select, jsonld, schema, key, strict, base address", async () => {
  expect(await extract(`[${order}]`, { select: { type: "order" } })).toMatchObject({ payload: { json: order } });
  expect(await extract(order, { jsonld: "expand" })).toMatchObject({
    payload: { json: expect.stringContaining('"@value":1.10') },
  });
  expect(await extract(order, { schema: { required: ["x"] } })).toMatchObject({
    payload: null,
    deadLetter: { code: "schema-failed" },
  });
  expect(await extract(page, { key: "k" })).toMatchObject({ deadLetter: { code: "key-mismatch" } });
  expect(await extract('{"a":1,}', { strict: true })).toMatchObject({
    deadLetter: { code: "invalid-json" },
    skipped: [{ line: 1, column: 8 }],
  });
  const linked = '<div itemscope itemtype="https://schema.org/Person"><a itemprop="url" href="me">x</a></div>';
  expect(await extract(linked, { baseUrl: "https://shop.example/a/" })).toMatchObject({
    payload: { value: { url: "https://shop.example/a/me" } },
  });
});

test("a mail's X-Hook-Key opens all of it, and no key is in the result", async () => {
  const mail = mailOf([{ type: "application/json", body: "[1]" }], ["X-Hook-Key: open-sesame"]);
  const result = await extract(mail, { key: "open-sesame" });
  expect(result.payload?.json).toBe("[1]");
  expect(JSON.stringify(result)).not.toContain("open-sesame");
});

test("a limit that a mail passes is a dead letter with its name", async () => {
  const parts = Array.from({ length: 1_001 }, () => ({ type: "text/plain", body: "x" }));
  expect(await extract(mailOf(parts))).toMatchObject({
    items: [],
    deadLetter: { code: "limit-exceeded", detail: expect.stringContaining("parts") },
  });
});
