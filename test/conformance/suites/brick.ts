import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import { differenceOf, listOf, shapeOfJsonLd } from "../microdata-shape.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

/** brick/structured-data: product pages as microdata and JSON-LD with the items in them, and as RDFa, which gives nothing. */
export const suite: ConformanceSuite = {
  name: "brick",
  folder: "pages/brick",
  argued: {},
  async *cases(folder) {
    for (const page of await filesBelow(folder)) {
      if (!page.endsWith("-in.html")) continue;
      const expectation = join(folder, page.replace("-in.html", "-out.json"));
      yield { name: page, run: () => judge(join(folder, page), expectation) };
    }
  },
};

async function judge(page: string, expectation: string): Promise<Verdict> {
  const { items } = await posthornExtract(await readFile(page), "page.html");
  if (!existsSync(expectation)) return items.length === 0 ? pass : fail(`${items.length} items out of RDFa`);
  const expected = listOf(JSON.parse(await readFile(expectation, "utf8")));
  const found = items.flatMap(({ value }) =>
    listOf(value).flatMap((node) =>
      typeof node === "object" && node !== null && "@graph" in node ? listOf(node["@graph"]) : [node],
    ),
  );
  const difference = differenceOf(found.map(shapeOfJsonLd), expected.map(shapeOfJsonLd), [
    "https://example.com/path/to/page",
  ]);
  return difference === undefined ? pass : fail(difference);
}
