import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import type { ConformanceSuite } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

/** KDE kitinerary's travel data: every type that the source gives back stands in what we found. Its values are normalised, ours are as sent. */
export const suite: ConformanceSuite = {
  name: "kitinerary JSON-LD",
  folder: "json/kitinerary-jsonld",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      if (!file.endsWith(".json")) continue;
      yield {
        name: file,
        run: async () => {
          const sent = await readFile(join(folder, file));
          const { items, deadLetter } = await posthornExtract(sent, "file.json");
          if (items.length === 0) return fail(`nothing found: ${deadLetter?.detail}`);
          if (!file.endsWith(".in.json")) return pass;
          const expected = await readFile(join(folder, file.replace(".in.json", ".out.json")), "utf8");
          const found = namesIn(items.map(({ value }) => value));
          const missing = [...topNames(JSON.parse(expected))].filter((name) => !found.has(name));
          return missing.length === 0 ? pass : fail(`types not found: ${missing.join(", ")}`);
        },
      };
    }
  },
};

function topNames(expected: unknown): Set<string> {
  return new Set((Array.isArray(expected) ? expected : [expected]).flatMap((node: unknown) => typeNames(node)));
}

function namesIn(value: unknown): Set<string> {
  const names = new Set<string>();
  const stack: unknown[] = [value];
  while (stack.length > 0) {
    const next = stack.pop();
    if (typeof next !== "object" || next === null) continue;
    for (const name of typeNames(next)) names.add(name);
    stack.push(...Object.values(next));
  }
  return names;
}

function typeNames(node: unknown): string[] {
  const type: unknown = typeof node === "object" && node !== null && "@type" in node ? node["@type"] : undefined;
  return [type]
    .flat()
    .flatMap((name) => (typeof name === "string" ? [name.replace(/^https?:\/\/schema\.org\//, "")] : []));
}
