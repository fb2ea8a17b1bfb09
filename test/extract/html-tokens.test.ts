import fc from "fast-check";
import { parse, type DefaultTreeAdapterMap } from "parse5";
import { expect, test } from "vitest";

import { attributesOf } from "../../src/extract/html-attributes.ts";
import { scanTags, tagNames } from "../../src/extract/html-tokens.ts";

type Node = DefaultTreeAdapterMap["node"];

/** Scripts as [attributes, text], by the tokenizer under test. */
function scanned(html: string): [Record<string, string>, string][] {
  const found: [Record<string, string>, string][] = [];
  scanTags(html, tagNames("script"), (tag) => {
    if (!tag.closes && !tag.inTemplate)
      found.push([Object.fromEntries(attributesOf(html, tag)), html.slice(tag.end, tag.textEnd)]);
  });
  return found;
}

/** The same by parse5, which builds the whole tree. */
function built(html: string): [Record<string, string>, string][] {
  const found: [Record<string, string>, string][] = [];
  const stack: Node[] = [parse(html, { scriptingEnabled: false })];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.nodeName === "script" && "attrs" in node)
      found.push([
        Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
        node.childNodes.map((child) => ("value" in child ? child.value : "")).join(""),
      ]);
    if ("childNodes" in node) stack.push(...node.childNodes.toReversed());
  }
  return found;
}

const soup = fc
  .array(
    fc.constantFrom(
      ..."<script |<script>|</script|</script>|<SCRIPT\n|</sCript >|<!--|-->|--!>|<!-->|<!--->|<!|<?|</>|</|<|>|/|/>|=|\"|'| |\t|\n|a|type=|id='x'|x|<p |</p>|<b title=|<i x=\">|<style>|</style>|<title>|</title>|<textarea>|</textarea>|<noscript>|</noscript>|<xmp>|</xmp>|<iframe>|</iframe>|&quot;|&amp;|\0|-|!|]]>|<![CDATA[|<!doctype html>".split(
        "|",
      ),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => `<body>${pieces.join("")}`);

test("scripts, their attributes and their texts are those of a full HTML parser, whatever the markup", () => {
  fc.assert(
    fc.property(soup, (html) => {
      const expected = built(html);
      const isCutOff = expected.some(([, text]) => /<\/script\s*$|<!--/i.test(text));
      // Two departures on purpose: a script that the end of the text cuts off, and a double escape that never ends.
      fc.pre(!isCutOff);
      // NUL stays in script texts: what to do about it is for the reader of the JSON.
      expect(scanned(html).map(([attributes, text]) => [attributes, text.replaceAll("\0", "\uFFFD")])).toEqual(
        expected,
      );
    }),
    { numRuns: 3000 },
  );
});

test("any script text comes back as it is, behind any attributes", () => {
  const attribute = fc.tuple(fc.stringMatching(/^[a-z-]{1,12}$/), fc.string({ maxLength: 20 }));
  fc.assert(
    fc.property(fc.array(attribute, { maxLength: 6 }), fc.string({ unit: "binary" }), (attributes, text) => {
      fc.pre(!/<\/script|<!--/i.test(text) && !text.endsWith("<"));
      const written = attributes
        .map(([name, value]) => ` ${name}="${value.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"`)
        .join("");
      const found = scanned(`<p>before</p><script${written}>${text}</script><p>behind</p>`);
      const first = new Map(attributes.toReversed());
      expect(found).toEqual([[Object.fromEntries(first), text]]);
    }),
  );
});
