import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import { differenceOf, listOf, shapeOfJsonLd, shapeOfPlain } from "../microdata-shape.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

/** The addresses against which the source resolves relative ones in its tests. */
const BASES = ["http://www.example.com/", "http://www.example.com/index.html", "http://www.example.com/microdata/"];

/**
 * extruct's pages with what it extracts: `.json` beside a page is microdata, `.jsonld` JSON-LD, `.expanded.json` RDFa.
 * Blanks in texts do not count: the source cuts and joins them, we keep what stands inside.
 */
export const suite: ConformanceSuite = {
  name: "extruct",
  folder: "pages/extruct",
  argued: {
    "w3c/microdata.5.3.html":
      "the source puts what itemref names last; by WHATWG HTML §5.2.5 properties stand in tree order, so the four items are equal, and equal items are listed once (contract §4)",
    "schema.org/SearchAction.001.html":
      "the source makes an object of an input element's attributes; by WHATWG HTML §5.2.4 its value is its text, which is empty",
  },
  async *cases(folder) {
    for (const page of await filesBelow(folder)) {
      if (!page.endsWith(".html")) continue;
      const beside = (ending: string) => join(folder, page.replace(/\.html$/, ending));
      if (existsSync(beside(".json")))
        yield { name: page, run: () => judge(join(folder, page), beside(".json"), "json") };
      if (existsSync(beside(".jsonld")))
        yield { name: page, run: () => judge(join(folder, page), beside(".jsonld"), "jsonld") };
      if (existsSync(beside(".expanded.json"))) yield { name: page, run: () => judgeRdfa(join(folder, page)) };
    }
  },
};

async function judge(page: string, expectation: string, kind: "json" | "jsonld"): Promise<Verdict> {
  const { items } = await posthornExtract(await readFile(page), "page.html");
  const expected = JSON.parse(await readFile(expectation, "utf8")) as unknown;
  const isUniform = typeof expected === "object" && expected !== null && "microdata" in expected;
  if (kind === "json" && !isUniform && !listOf(expected).every(isMicrodata)) return judgeRdfa(page);
  const microdata = isUniform ? listOf(expected.microdata) : kind === "json" ? listOf(expected) : [];
  const linked =
    isUniform && "json-ld" in expected ? listOf(expected["json-ld"]) : kind === "jsonld" ? flatItems(expected) : [];
  const ofMicrodata = items.filter(({ format }) => format === "microdata").map(({ value }) => shapeOfJsonLd(value));
  const difference = microdata.length === 0 ? undefined : differenceOf(ofMicrodata, microdata.map(shapeOfPlain), BASES);
  if (difference !== undefined) return fail(`microdata: ${difference}`);
  if (linked.length === 0) return pass;
  const ofScripts = items.filter(({ format }) => format === "json-ld").flatMap(({ value }) => listOf(value));
  const between = differenceOf(ofScripts.map(shapeOfJsonLd), linked.map(shapeOfJsonLd), BASES);
  return between === undefined ? pass : fail(`JSON-LD: ${between}`);
}

function isMicrodata(item: unknown): boolean {
  return typeof item === "object" && item !== null && "properties" in item;
}

/** `[a, b]`, or as the oldest expectations have it `{ "items": [[a], b] }`. */
function flatItems(expected: unknown): readonly unknown[] {
  return typeof expected === "object" && expected !== null && "items" in expected
    ? listOf(expected.items).flatMap(listOf)
    : listOf(expected);
}

/** RDFa is out of scope: it must not come out as something else. */
async function judgeRdfa(page: string): Promise<Verdict> {
  const { items } = await posthornExtract(await readFile(page), "page.html");
  const wrong = items.filter(({ format }) => format === "microdata");
  return wrong.length === 0 ? pass : fail(`${wrong.length} items as microdata`);
}
