import fc from "fast-check";
import { expect, test } from "vitest";

import { mayShowJson } from "../../src/extract/may-show-json.ts";
import { anyJsonObject } from "../support/any-json.ts";

test.each([
  ["a style sheet", "<style>\nbody {color: red}\np > a { x: y }</style><p>Hi</p>"],
  ["a script", "<script>if (a) { b() } var x = [1, 2];</script>"],
  ["prose", "<p>Hello {name}, see [1] and [image: logo] {not: json}</p>"],
  ["nothing", ""],
])("%s shows none", (_, html) => {
  expect(mayShowJson(html)).toBe(false);
});

test.each([
  ["behind a tag", '<p>{"a":1}'],
  ["behind inline tags and blanks", '<p><b> \u00a0 {</b> "a":1}'],
  ["quoted as text", '<div>&gt; {"a":1}</div>'],
  ["behind a reference", "<p>&nbsp;[1]"],
  ["in references", "<p>&lbrace;&quot;a&quot;:1}"],
  ["in numbers", "<p>&#x7B;&#34;a&#34;:1}"],
  ["on a line of its own", '<pre>see\n  {"a":1}</pre>'],
  ["with its name behind a tag", '<p>{<span>"a"</span>:1}'],
  ["first of all", "[]"],
])("JSON %s may be some", (_, html) => {
  expect(mayShowJson(html)).toBe(true);
});

test("any object or array behind a tag or on a line of its own may be some", () => {
  fc.assert(
    fc.property(anyJsonObject, fc.constantFrom("<p>", "<pre>x\n", "<td> ", "&gt; "), (json, before) => {
      expect(mayShowJson(`${before}${json.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}`)).toBe(true);
    }),
  );
});
