import { expect, test } from "vitest";

import { removeHookKeys } from "../../src/extract/hook-keys.ts";

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
