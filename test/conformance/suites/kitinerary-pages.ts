import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import { differenceOf, listOf, nameOf, shapeOfJsonLd } from "../microdata-shape.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

/** What the source's normalising makes of types. */
const NORMALISED: Readonly<Record<string, string>> = { Hotel: "LodgingBusiness", Restaurant: "FoodEstablishment" };

/**
 * KDE kitinerary's booking mails and travel pages. `structureddata` is plain extraction: types, counts and values are
 * compared. `extractordata` is behind the source's own normalising, which adds, drops and merges: only types are.
 */
export const suite: ConformanceSuite = {
  name: "kitinerary pages",
  folder: "pages/kitinerary",
  argued: {
    "extractordata/brusselsairlines/brusselsairlines_1.html":
      "the page holds no structured data: the source reads its words with a script of its own",
    "structureddata/nested-objects-microdata.html":
      "the source leaves out the WebPage without properties (by WHATWG HTML §5.2.2 an item) and reads `content` of h2 but not of p",
  },
  async *cases(folder) {
    for (const page of await filesBelow(folder)) {
      if (!page.endsWith(".html")) continue;
      const at = join(folder, page);
      const expectation = [at.replace(/\.html$/, ".json"), `${at}.json`].find((path) => existsSync(path));
      if (expectation !== undefined)
        yield { name: page, run: () => judge(at, expectation, page.startsWith("structureddata")) };
    }
  },
};

async function judge(page: string, expectation: string, isPlain: boolean): Promise<Verdict> {
  const { items, deadLetter } = await posthornExtract(await readFile(page), "page.html");
  const expected = listOf(JSON.parse(await readFile(expectation, "utf8")));
  const found = items.flatMap(({ value }) => topNodes(value));
  if (isPlain) {
    const difference = differenceOf(found.map(shapeOfJsonLd), expected.map(shapeOfJsonLd), ["http://x.example/"]);
    return difference === undefined ? pass : fail(difference);
  }
  const types = new Set(found.flatMap(allTypesIn).flatMap((type) => [type, NORMALISED[type] ?? type]));
  const missing = expected
    .map((item) => (item as { "@type": string })["@type"])
    .filter((type) => !types.has(nameOf(type)));
  return missing.length === 0
    ? pass
    : fail(`types not found: ${missing.join(", ")} (${deadLetter?.detail ?? "others were"})`);
}

function topNodes(value: unknown): readonly unknown[] {
  return listOf(value).flatMap((node) =>
    typeof node === "object" && node !== null && "@graph" in node ? listOf(node["@graph"]) : [node],
  );
}

function allTypesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "@type" in value ? listOf(value["@type"]).map((type) => nameOf(String(type))) : [];
  return [...own, ...Object.values(value).flatMap((inner) => listOf(inner).flatMap(allTypesIn))];
}
