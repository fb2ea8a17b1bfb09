import { expect, test } from "vitest";

import { holdsHookKey, removeHookKeys } from "../../src/extract/hook-keys.ts";

test.each([
  ["double quotes", '<script data-kustomer-key="s3 cret" id=a>', '<script data-kustomer-key="" id=a>'],
  ["single quotes", "<script type='x'DATA-Kustomer-Key = 's3cret'>", "<script type='x'DATA-Kustomer-Key = \"\">"],
  ["no quotes", "<script data-kustomer-key=s3cret>", '<script data-kustomer-key="">'],
  ["a tag cut off by a limit", '<p>a</p><script data-kustomer-key="s3 cr', '<p>a</p><script data-kustomer-key=""'],
  ["a comment for Outlook", "<!--[if mso]><script data-kustomer-key=s3>", '<!--[if mso]><script data-kustomer-key="">'],
  ["two keys", "<a data-kustomer-key=1><b data-kustomer-key='2'>", '<a data-kustomer-key=""><b data-kustomer-key="">'],
])("a key in %s is taken out and all else stays", (_, html, without) => {
  expect(removeHookKeys(html)).toBe(without);
});

test("an attachment that holds a key is known by it in ASCII and UTF-16, and others are not", () => {
  const page = '<script DATA-kustomer-key="s3cret">{}</script>';
  expect(holdsHookKey(Buffer.from(page))).toBe(true);
  expect(holdsHookKey(Buffer.from(page, "utf16le"))).toBe(true);
  expect(holdsHookKey(Buffer.from("<script>{}</script>"))).toBe(false);
  expect(holdsHookKey(Buffer.alloc(0))).toBe(false);
});
