import { expect, test } from "vitest";

import { visibleText } from "../../src/extract/visible-text.ts";

const limits = { htmlDepth: 512, htmlNodes: 20_000 };

function blocksOf(html: string) {
  const reading = visibleText(html, limits);
  return reading.kind === "blocks" ? reading.blocks : reading;
}

function textOf(html: string): string {
  const reading = visibleText(html, limits);
  return reading.kind === "blocks" ? (reading.blocks.find(({ element }) => element === "text")?.text.trim() ?? "") : "";
}

test("preformatted blocks and code come first, each once, then the whole text", () => {
  expect(blocksOf("<p>a <code>b</code></p><pre>c\n<code>d</code></pre>")).toEqual([
    { element: "code", text: "b", quoted: false },
    { element: "pre", text: "c\nd", quoted: false },
    { element: "text", text: "\n\na b\n\nc\nd\n\n", quoted: false },
  ]);
});

test("a line break of the source is a blank, one of the page is a line break", () => {
  expect(textOf('<div>{"a": "one\r\n  two"}</div>')).toBe('{"a": "one two"}');
  expect(textOf("<div>{</div><div>}</div>a<br>b")).toBe("{\n\n}\na\nb");
  expect(textOf('<div style="white-space: pre-wrap">a\n b</div>')).toBe("a\n b");
});

test("no-break spaces stay, entities become characters", () => {
  expect(textOf("<p>{&nbsp;&quot;a&quot;: 1 }</p>")).toBe('{\u00a0"a": 1 }');
});

test("what nobody sees is left out", () => {
  const hidden =
    "<style>a{}</style><script>{}</script><div hidden>1</div><p style='Display : none'>2</p><template>3</template><textarea>4</textarea><svg><text>5</text></svg><!-- 6 -->";
  expect(textOf(`<title>0</title>${hidden}<noscript>7</noscript>`)).toBe("7");
  expect(blocksOf("<div hidden><pre>1</pre></div><pre style='display:none'>2</pre>")).toEqual([
    { element: "text", text: "\n\n", quoted: false },
  ]);
});

test("quoted text is a block of its own", () => {
  expect(blocksOf('a<div class="gmail_quote">b<pre>c</pre></div>d')).toEqual([
    { element: "pre", text: "c", quoted: true },
    { element: "text", text: "\nad\n", quoted: false },
    { element: "text", text: "\nb\nc\n\n", quoted: true },
  ]);
});

test("very many children of one element are no trouble", () => {
  expect(textOf(`<p>${"<br>".repeat(19_000)}x`)).toContain("x");
});

test("a limit is named", () => {
  expect(blocksOf("<div>".repeat(600))).toMatchObject({ kind: "limit", limit: "html-depth" });
  expect(blocksOf("<br>".repeat(20_001))).toMatchObject({ kind: "limit", limit: "html-nodes" });
});
