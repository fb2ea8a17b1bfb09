import { expect, test } from "vitest";

import { attributeOf, elementsIn, parseTree, textContentOf } from "../../src/extract/html-tree.ts";
import { slimPage } from "../../src/extract/raw-text.ts";

const LIMITS = { htmlDepth: 512, htmlNodes: 10_000 };

function textOf(html: string, id: string): string | undefined {
  const tree = parseTree(html, LIMITS);
  if (tree.kind === "limit") return undefined;
  for (const element of elementsIn(tree.document)) if (attributeOf(element, "id") === id) return textContentOf(element);
  return undefined;
}

test("scripts and style sheets leave a number behind, and the rest stays", () => {
  expect(slimPage("<script>let a</script><p>1<style>p{}</style>").html).toBe("<script>0</script><p>1<style>1</style>");
});

test.each([
  ["a script", "<p id=x>a<script>let b = '<p>'</script>c</p>", "alet b = '<p>'c"],
  ["a number that was there", "<p id=x><script>0</script><style>1</style></p>", "01"],
  [
    "a script that a comment holds open",
    "<p id=x><script><!-- <script> </script> --></script>z</p>",
    "<!-- <script> </script> -->z",
  ],
  ["a style sheet in SVG", "<p id=x><svg><style>a<b>c</b></style></svg></p>", "ac"],
  ["numbers in the text", "<p id=x>0 1<script>let a</script> 0</p>", "0 1let a 0"],
])("the tree holds %s as sent", (_, html, text) => {
  expect(textOf(html, "x")).toBe(text);
});
