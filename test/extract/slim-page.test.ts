import { expect, test } from "vitest";

import { attributeOf, elementsIn, parseTree, textContentOf } from "../../src/extract/html-tree.ts";
import { slimPage, wantedAttributes } from "../../src/extract/slim-page.ts";

const WANTED = wantedAttributes(["id"], []);
const LIMITS = { htmlDepth: 512, htmlNodes: 10_000 };

function textOf(html: string, id: string): string | undefined {
  const tree = parseTree(html, LIMITS, WANTED);
  if (tree.kind === "limit") return undefined;
  for (const element of elementsIn(tree.document)) if (attributeOf(element, "id") === id) return textContentOf(element);
  return undefined;
}

test("scripts and style sheets leave a number behind, and the rest stays", () => {
  expect(slimPage("<script>let a</script><p>1<style>p{}</style>", WANTED).html).toBe(
    "<script>0</script><p>1<style>1</style>",
  );
});

test.each([
  ["what is wanted", "<p class=\"a b\" id=x data-y title='>'>", "<p id=x >"],
  ["nothing", "<p class='a' title=\">\">", "<p>"],
  ["values of properties", "<a href=u title=t><a itemprop=i href='u' title=t>", "<a><a itemprop=i href='u' >"],
  [
    "what steers the parser",
    "<input type=hidden name=n><font color=red class=c/>",
    "<input type=hidden ><font color=red />",
  ],
  ["what is no attribute", "<p a =b = ID=x c>", "<p  = ID=x c>"],
  ["end tags", "</p class=a>", "</p class=a>"],
])("of attributes stays %s", (_, html, slim) => {
  expect(slimPage(html, wantedAttributes(["id", "itemprop"], ["href"])).html).toBe(slim);
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

test.each([
  ["a number in a foreign object", "<svg><foreignObject><script id=x>0</script></foreignObject></svg>", "0"],
  [
    "a number amid code in a foreign object",
    "<svg><foreignObject><script id=x>let a = 0 ;</script></foreignObject></svg>",
    "let a = 0 ;",
  ],
  ["a style sheet there", "<svg><foreignObject><style id=x>1</style></foreignObject></svg>", "1"],
  ["a number behind what breaks out of SVG", "<svg><p><script id=x>1</script>", "1"],
  ["a number in a table of MathML's text", "<math><mtext><script id=x> 0 </script></mtext></math>", " 0 "],
  ["an equals sign and a number", "<svg><desc><script id=x>=0</script></desc></svg>", "=0"],
  ["a number in a script of SVG itself", "<svg><script id=x>1</script></svg>", "1"],
  ["a number in a CDATA section", "<svg><style id=x><![CDATA[1]]></style></svg>", "1"],
  ["a script that is never closed", "<script id=x>last", "last"],
])("no script gets another one's text: %s", (_, html, text) => {
  expect(textOf(`<script>let first</script><style>p{}</style>${html}`, "x")).toBe(text);
});
