import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readJson } from "../../../src/extract/json-text.ts";
import { anyJson } from "../../support/any-json.ts";

const mend = (text: string) => {
  const reading = readJson(text, { repair: true, maxDepth: 512 });
  return reading.kind === "json" ? { values: reading.values, repaired: reading.repaired } : reading.kind;
};

describe("each repair of damage seen in the wild", () => {
  test.each([
    ["bom", '\uFEFF{"a":1}', '{"a":1}'],
    ["html-comment", '<!--\n{"a":"-->"}\n-->', '{"a":"-->"}'],
    ["html-comment", '<!--\n{"a":1}', '{"a":1}'],
    ["html-comment", '{"a":1}\n//-->', '{"a":1}'],
    ["html-comment", '<!-- our order -->\n{"a":"<!-- x -->"}', '{"a":"<!-- x -->"}'],
    ["html-comment", '{"a":1} <!-- end of order -->', '{"a":1}'],
    ["cdata", '<![CDATA[{"a":1}]]>', '{"a":1}'],
    ["cdata", '//<![CDATA[\n{"a":1}\n//]]>', '{"a":1}'],
    ["cdata", '/*<![CDATA[*/{"a":"]]>"}/*]]>*/', '{"a":"]]>"}'],
    ["html-entities", "{&quot;a&quot;: &#34;b &amp;amp; c&#x22;}", '{"a": "b &amp; c"}'],
    ["trailing-comma", '{"a":[1, 2, ], }', '{"a":[1, 2 ] }'],
    ["trailing-comma", '{"a":1},', '{"a":1}'],
    ["trailing-semicolon", '{"a":";"};', '{"a":";"}'],
    ["control-characters", '{"a":"x\ty\u0000"}', '{"a":"x\\ty\\u0000"}'],
    ["raw-line-breaks", '{"a":"x\r\ny\nz"}', '{"a":"x\\ny\\nz"}'],
    ["raw-line-breaks", '{"a":"x\\\ny\\\\\nz"}', '{"a":"xy\\\\\\nz"}'],
    ["single-quote-escape", `{"a":"it\\'s \\\\'"}`, `{"a":"it's \\\\'"}`],
    ["nbsp", '{\u00a0"a":\u00a0"x\u00a0y"}\u00a0', '{ "a": "x\u00a0y"}'],
    ["invisible-characters", '{\u200b"a":\u200c42,\u200d"b\u200b":\u20601\u200b}', '{ "a": 42, "b\u200b": 1 }'],
    ["invisible-characters", '{\u200e"a":\u00ad1,\ufeff"b":\u202a2\u202c}', '{ "a": 1, "b": 2 }'],
    ["invisible-characters", '\u200b{"a":1}\u200b', '{"a":1}'],
    ["invisible-characters", '{"a":1}\ufeff', '{"a":1}'],
    ["invisible-characters", "[\u2060]", "[ ]"],
    ["written-out-link", '{"a":"x@y.example\r\n <mailto:x@y.example>"}', '{"a":"x@y.example"}'],
    ["javascript-comments", '{"a": 1, // one\n "b": "//" /* two */}', '{"a": 1,  \n "b": "//"  }'],
    ["missing-comma", '[{"a":1}{"b":2}]', '[{"a":1},{"b":2}]'],
    ["missing-comma", '{"a":1\n"b":[2]"c":3}', '{"a":1\n,"b":[2],"c":3}'],
  ])("%s: %j", (name, text, expected) => {
    expect(mend(text)).toEqual({ values: [expected], repaired: [name] });
  });

  test("several values in one script are several items", () => {
    expect(mend('{"a":1}\n{"b":2};[3]')).toEqual({
      values: ['{"a":1}', '{"b":2}', "[3]"],
      repaired: ["several-values"],
    });
  });

  test("they work together, each named once", () => {
    const text = '\uFEFF<!--//--><![CDATA[//><!--\n[{"a":"x\ny",}\u00a0{"b":1.10}] // end\n;\n//--><!]]>';
    expect(mend(text)).toEqual({
      values: ['[{"a":"x\\ny"} ,{"b":1.10}]'],
      repaired: [
        "bom",
        "html-comment",
        "cdata",
        "trailing-semicolon",
        "javascript-comments",
        "nbsp",
        "raw-line-breaks",
        "missing-comma",
        "trailing-comma",
      ],
    });
  });
});

describe("what is no damage of that kind", () => {
  test.each([
    "[1,,2]",
    "[,1]",
    "{'a':1}",
    "{a:1}",
    "1 2",
    '"a" "b"',
    '{"a":"5"x"}',
    '["a"b"c"]',
    '{"a":1}}',
    '{"a":',
    "{",
    "-->",
    "<!-- nothing -->",
    "[1\u200b2]",
    "[tr\u200bue]",
  ])("stays refused: %s", (text) => {
    expect(mend(text)).toBe("invalid");
  });

  test("a valid text is never touched, whatever its strings hold", () => {
    for (const text of ['{"a":"&lt;b&gt; <!-- ]]> //, }"}', '["\\u00a0","it\u00a0is"]'])
      expect(mend(text)).toEqual({ values: [text], repaired: [] });
  });
});

describe("any JSON under damage", () => {
  const wrapped: readonly (readonly [string, (text: string) => string])[] = [
    ["bom", (text) => `\uFEFF${text}`],
    ["html-comment", (text) => `<!--\n${text}\n-->`],
    ["cdata", (text) => `<![CDATA[${text}]]>`],
    ["trailing-semicolon", (text) => `${text};`],
    ["javascript-comments", (text) => `/* order */ ${text} // end`],
    ["trailing-comma", (text) => `[${text},]`],
  ];

  test.each(wrapped)("%s leaves everything else untouched", (name, damage) => {
    fc.assert(
      fc.property(anyJson, (text) => {
        const mended = mend(damage(text));
        const expected = name === "trailing-comma" ? `[${text}]` : text;
        expect(mended).toEqual({ values: [expected], repaired: [name] });
      }),
    );
  });
});
