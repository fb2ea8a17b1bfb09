import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parse, type DefaultTreeAdapterMap } from "parse5";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

type Node = DefaultTreeAdapterMap["node"];

/**
 * Every page of the corpus, counted by a full HTML parser: each data script and each top-level microdata item of the tree
 * is an item of ours, or was skipped with its reason, or repeats an equal one.
 */
export const suite: ConformanceSuite = {
  name: "pages, against a tree",
  folder: "pages",
  argued: {},
  async *cases(folder) {
    for (const page of await filesBelow(folder)) {
      if (/\.(?:html?|txt)$/.test(page))
        yield { name: page, run: async () => judge(await readFile(join(folder, page))) };
    }
  },
};

async function judge(bytes: Buffer): Promise<Verdict> {
  const { items, skipped, notes } = await posthornExtract(bytes, "page.html");
  const repeated = notes.filter((note) => /repeat|equal|again|before/.test(note)).length;
  const empty = notes.filter((note) => /empty/.test(note)).length;
  const counts = { scripts: 0, microdata: 0 };
  const stack: Node[] = [parse(bytes.toString("utf8"), { scriptingEnabled: false })];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if ("attrs" in node) {
      const attributes = new Map(node.attrs.map(({ name, value }) => [name, value]));
      if (node.tagName === "script" && isJson(attributes.get("type"))) counts.scripts += 1;
      if (attributes.has("itemscope") && !attributes.has("itemprop")) counts.microdata += 1;
    }
    if ("childNodes" in node) stack.push(...node.childNodes);
  }
  const found = { scripts: 0, microdata: 0 };
  for (const { source } of [...items, ...skipped]) {
    if (source.element === "script") found.scripts += 1;
    if (source.element === "microdata") found.microdata += 1;
  }
  const missing = counts.scripts + counts.microdata - found.scripts - found.microdata - repeated - empty;
  return missing <= 0
    ? pass
    : fail(`${JSON.stringify(counts)} in the tree, ${JSON.stringify(found)} found, ${repeated} repeated`);
}

function isJson(type: string | undefined): boolean {
  return /^\s*(?:application\/(?:[^\s;]+\+)?json|text\/json)\s*(?:;|$)/i.test(type ?? "");
}
