import { readFileSync, readdirSync } from "node:fs";

import { expect, test } from "vitest";

import { extract } from "../../src/library.ts";

const FOLDER = new URL("../../fixtures/html/", import.meta.url);
const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith(".html") ? [file.slice(0, -".html".length)] : []));

test.each(names)("the page %s gives what stands beside it", async (name) => {
  const expected: unknown = JSON.parse(readFileSync(new URL(`${name}.expected.json`, FOLDER), "utf8"));
  const page = readFileSync(new URL(`${name}.html`, FOLDER));
  const { items } = await extract(page, { as: "html", baseUrl: "https://shop.example/mail/" });
  const found = items.map(({ format, source, types, repaired, context, json }) => ({
    format,
    element: source.element,
    types,
    ...(source.quoted === true && { quoted: true }),
    ...(repaired.length > 0 && { repaired }),
    ...(context !== undefined && { context }),
    json,
  }));
  expect(found).toEqual(expected);
});
