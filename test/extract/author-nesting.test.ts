import fc from "fast-check";
import { expect, test } from "vitest";

import { withAuthorNesting } from "../../src/extract/author-nesting.ts";

test.each([
  ["<p id=a>x<div>y</div></p>", "<x-p id=a>x<div>y</div></x-p>"],
  ["<TABLE><TR><td>1</td></TR></TABLE >", "<x-table><x-tr><x-td>1</x-td></x-tr></x-table >"],
  ["<p>a<p>b</p>", "<p>a<x-p>b</x-p>"],
  ["</p><p>", "</p><p>"],
  ["<!-- <p></p> --><b title='<p></p>'>", "<!-- <p></p> --><b title='<p></p>'>"],
])("%s becomes %s", (html, renamed) => {
  expect(withAuthorNesting(html)).toBe(renamed);
});

test("only names change, and only of tags", () => {
  const pieces = fc.constantFrom(
    "<p>",
    "</p>",
    "<td x='>'>",
    "</td>",
    "<div>",
    "text",
    "<!--",
    "-->",
    "<pre>",
    "<table",
    ">",
    "</tr >",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (soup) => {
      const html = soup.join("");
      expect(withAuthorNesting(html).replace(/(<\/?)x-/g, "$1")).toBe(html);
    }),
  );
});
