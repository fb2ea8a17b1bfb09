import { expect, test } from "vitest";

import { baseUrlOf } from "../../src/extract/base-url.ts";

test.each([
  ["no base element", "<p>", "http://a.example/d", "http://a.example/d"],
  ["an absolute base", '<base href="http://b.example/x/">', "http://a.example/d", "http://b.example/x/"],
  ["a relative base", "<BASE HREF=' x/ '>", "http://a.example/d/e", "http://a.example/d/x/"],
  ["the first of two", '<base target=_top><base href="/1"><base href="/2">', "http://a.example/", "http://a.example/1"],
  ["one in a comment", '<!--<base href="/1">--><base href="/2">', "http://a.example/", "http://a.example/2"],
  ["one in a script", '<script>"<base href=/1>"</script>', "http://a.example/", "http://a.example/"],
  ["one in a template", "<template><base href=/1></template>", "http://a.example/", "http://a.example/"],
  ["no address at all", '<base href="http://[">', "http://a.example/", "http://a.example/"],
  ["a data base", '<base href="data:,x">', undefined, undefined],
  [
    "a base of 10 KB",
    `<base href="https://b.example/${"x".repeat(10_000)}">`,
    "http://a.example/",
    "http://a.example/",
  ],
  ["a page without address", '<base href="http://b.example">', undefined, "http://b.example/"],
])("%s", (_, html, documentUrl, base) => {
  expect(baseUrlOf(html, documentUrl)).toBe(base);
});
