import { expect, test } from "vitest";

import { markedHtml } from "../../src/admin/marked-html.ts";

test("scripts that hold data and microdata are marked, others are not, and all of it is text", () => {
  const source = `<script>run()</script><script type="application/ld+json">{"a":1}</script><p itemprop="b">x</p>`;
  const marked = markedHtml(source).toString();
  expect(marked).toBe(
    "&lt;script&gt;run()&lt;/script&gt;" +
      "<mark>&lt;script type=&quot;application/ld+json&quot;&gt;{&quot;a&quot;:1}</mark>&lt;/script&gt;" +
      "&lt;p <mark>itemprop=&quot;b&quot;</mark>&gt;x&lt;/p&gt;",
  );
});

test.for([
  ["unclosed tags", "<script "],
  ["unclosed scripts", '<script type="application/json">'],
  ["attributes without a tag", 'itemprop="'],
  ["half a type", "<script type=application/"],
])("%s by the thousand are marked in one pass", ([, piece = ""]) => {
  const source = piece.repeat(Math.ceil(65_536 / piece.length));
  const text = markedHtml(source)
    .toString()
    .replace(/<\/?mark>/g, "");
  expect(text).toHaveLength(
    source.replaceAll(/[<>"]/g, (mark) => ({ "<": "&lt;", ">": "&gt;" })[mark] ?? "&quot;").length,
  );
});
