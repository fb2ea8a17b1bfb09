import { READ_LIMITS } from "../../src/engine/budgets.ts";
import { withAuthorNesting } from "../../src/extract/author-nesting.ts";
import { baseUrlOf } from "../../src/extract/base-url.ts";
import { forwardMarkIn, forwardMarkInHtml } from "../../src/extract/forward-mark.ts";
import { removeHookKeys } from "../../src/extract/hook-keys.ts";
import { attributesOf } from "../../src/extract/html-attributes.ts";
import { scanTags, tagNames } from "../../src/extract/html-tokens.ts";
import { elementsIn, parseTree } from "../../src/extract/html-tree.ts";
import { readNode } from "../../src/extract/json-node.ts";
import { readJson } from "../../src/extract/json-text.ts";
import { causeOfEmptyForward, otherMarkupIn } from "../../src/extract/known-cause.ts";
import { mayShowJson } from "../../src/extract/may-show-json.ts";
import { findMicrodata } from "../../src/extract/microdata.ts";
import { resolveUrl } from "../../src/extract/microdata-value.ts";
import { findInProse } from "../../src/extract/prose.ts";
import { isQuoteClass } from "../../src/extract/quote-class.ts";
import { decodeHtmlEntities } from "../../src/extract/repairs/html-entities.ts";
import { repairJson } from "../../src/extract/repairs/repair.ts";
import { findScripts } from "../../src/extract/scripts.ts";
import { slimPage, wantedAttributes } from "../../src/extract/slim-page.ts";
import { textRunsOf } from "../../src/extract/text-runs.ts";
import { absoluteType } from "../../src/extract/types.ts";
import { visibleText } from "../../src/extract/visible-text.ts";
import { extract } from "../../src/library.ts";
import type { Subject } from "../support/growth.ts";
import { testGrowth } from "../support/growth.ts";

const HTML = READ_LIMITS.extract;
const EVERYTHING = wantedAttributes(["class"], ["content"]);
const alone = (text: string) => text;
const inJson = (text: string) => `{"a":1${text}}`;
const inString = (text: string) => `{"a":"${text}"}`;
const inScript = (text: string) => `<script type="application/ld+json">${text}</script>`;
const inTag = (text: string) => `<div itemscope itemtype="${text}`;

const SUBJECTS: readonly Subject[] = [
  ...(["text", "json", "ndjson", "html"] as const).map((as) => ({
    name: `everything in ${as}`,
    run: (text: string) => extract(text, { as }),
    around: as === "html" ? [alone, inScript, inTag, (text: string) => `<pre>{${text}`] : [alone, inJson, inString],
  })),
  { name: "JSON", run: (text) => readJson(text, { repair: false, maxDepth: 512 }), around: [alone, inJson, inString] },
  { name: "the nodes of JSON", run: (text) => readNode(text, 512), around: [alone, inJson] },
  {
    name: "damaged JSON",
    run: (text) => repairJson(text, 512),
    around: [alone, inJson, inString, (text) => `${text}{"a":1}`],
  },
  {
    name: "prose",
    run: (text) => findInProse(text, { repair: true, maxDepth: 512, maxItems: 100_000 }),
    around: [alone, (text) => `Hi\n{"a":${text}`, (text) => `Hi\n> {"a": 1}\n${text}`],
  },
  { name: "runs of a text", run: textRunsOf, around: [alone, (text) => `> a\n${text}`, (text) => `> a\n~~~${text}\``] },
  {
    name: "a forwarded text",
    run: forwardMarkIn,
    around: [alone, (text) => `-----${text}`, (text) => `From: ${text}`],
  },
  { name: "a forwarded page", run: forwardMarkInHtml, around: [alone, (text) => `<div ${text} divRplyFwdMsg`] },
  {
    name: "tags",
    run: (text) => scanTags(text, tagNames("script", "p"), () => undefined),
    around: [alone, inScript, inTag, (text) => `<svg><![CDATA[${text}`],
  },
  {
    name: "attributes",
    run: (text) => scanTags(text, tagNames("p"), (tag) => void attributesOf(text, tag)),
    around: [(text) => `<p ${text}>`, (text) => `<p a="${text}">`],
  },
  { name: "scripts", run: findScripts, around: [alone, inScript, (text) => `<script ${text}`] },
  {
    name: "the base of a page",
    run: (text) => baseUrlOf(text, undefined),
    around: [alone, (text) => `<base href="${text}">`],
  },
  { name: "a slim page", run: (text) => slimPage(text, EVERYTHING), around: [alone, inTag] },
  {
    name: "the tree of a page",
    run: (text) => {
      const tree = parseTree(text, HTML, EVERYTHING);
      if (tree.kind === "tree") for (const element of elementsIn(tree.document)) element.tagName.at(0);
    },
    around: [alone, (text) => `<table>${text}`, (text) => `<p class="${text}`],
  },
  {
    name: "the text of a page",
    run: (text) => visibleText(text, HTML),
    around: [alone, (text) => `<p style="${text}">{`],
  },
  {
    name: "microdata",
    run: (text) => findMicrodata(text, undefined, HTML),
    around: [inTag, (text) => `<p itemscope itemprop="${text}">`],
  },
  { name: "an author's nesting", run: withAuthorNesting, around: [alone, (text) => `<p itemscope>${text}`] },
  { name: "whether a page shows JSON", run: mayShowJson },
  { name: "hook keys", run: removeHookKeys, around: [alone, (text) => `<script data-kustomer-key="${text}`] },
  { name: "why a forward is empty", run: causeOfEmptyForward },
  { name: "other markup", run: otherMarkupIn },
  { name: "entities", run: decodeHtmlEntities, around: [alone, (text) => `&#x${text};`] },
  { name: "an address in a page", run: (text) => resolveUrl(text, "https://a.example/") },
  { name: "a class", run: isQuoteClass },
  { name: "a type", run: absoluteType },
];

testGrowth(SUBJECTS);
