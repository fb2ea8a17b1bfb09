import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import { listOf, nameOf } from "../microdata-shape.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

const SECTION = /^(TYPES|PRE-MARKUP|MICRODATA|RDFA|JSON):.*$/m;

/**
 * schema.org's own examples, each written as microdata and as JSON-LD: two extractors of ours on two notations of one
 * thing. They must share types; people wrote both by hand, and one often says more than the other.
 */
export const suite: ConformanceSuite = {
  name: "schema.org examples",
  folder: "pages/schemaorg",
  argued: Object.fromEntries(
    [1, 2, 3].map((example) => [
      `sdo-sponsor-examples.txt ${example}`,
      "its outermost element has an itemprop and so is no top-level item (WHATWG HTML §5.2.2)",
    ]),
  ),
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      if (!file.endsWith(".txt")) continue;
      const examples = (await readFile(join(folder, file), "utf8")).split(/^(?=TYPES:)/m);
      for (const [index, example] of examples.entries()) {
        const { MICRODATA: microdata, JSON: linked } = sectionsOf(example);
        if (microdata === undefined || linked === undefined) continue;
        if (!/itemscope/.test(microdata) || !/ld\+json/.test(linked)) continue;
        yield { name: `${file} ${index}`, run: () => judge(microdata, linked) };
      }
    }
  },
};

async function judge(microdata: string, linked: string): Promise<Verdict> {
  const [ours, theirs] = [await typesIn(microdata), await typesIn(linked)];
  if ([...theirs].some((type) => ours.has(type))) return pass;
  return fail(`microdata has ${[...ours].join(", ")}, JSON-LD ${[...theirs].join(", ")}`);
}

/** The types of all nodes at any depth, without the address of schema.org. */
async function typesIn(html: string): Promise<ReadonlySet<string>> {
  const { items } = await posthornExtract(html, "page.html");
  const types = new Set(items.flatMap((item) => item.types.map(nameOf)));
  const stack: unknown[] = items.map(({ value }) => value);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node !== "object" || node === null) continue;
    if ("@type" in node)
      for (const type of listOf(node["@type"])) types.add(nameOf(String(type)).replace(/^schema:/, ""));
    stack.push(...Object.values(node).filter((inner) => typeof inner === "object" && inner !== null));
  }
  return types;
}

function sectionsOf(example: string): Partial<Record<string, string>> {
  const pieces = example.split(SECTION);
  const sections: Partial<Record<string, string>> = {};
  for (let i = 1; i < pieces.length; i += 2) sections[pieces[i] ?? ""] = pieces[i + 1] ?? "";
  return sections;
}
