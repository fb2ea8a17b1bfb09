import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { schemaOrgContext } from "../../../src/extract/contexts/schema-org.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

type Terms = Readonly<Record<string, unknown>>;

/**
 * The context of schema.org as released against the one that we derive: every term of either stands for the same address
 * with the same kind of value in both. Ours leaves out what `@vocab` says already.
 */
export const suite: ConformanceSuite = {
  name: "schema.org context",
  folder: "contexts",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      const released = (JSON.parse(await readFile(join(folder, file), "utf8")) as { "@context": Terms })["@context"];
      const derived = schemaOrgContext()["@context"];
      for (const term of new Set([...Object.keys(released), ...Object.keys(derived)]))
        yield { name: `${file} ${term}`, run: () => compare(meaningOf(term, derived), meaningOf(term, released)) };
    }
  },
};

function compare(ours: string, theirs: string): Verdict {
  return ours === theirs ? pass : fail(`${ours} instead of ${theirs}`);
}

/** What a term stands for, its prefix written out; a term that is not named belongs to `@vocab`. */
function meaningOf(term: string, terms: Terms): string {
  const definition = terms[term] ?? { "@id": `${String(terms["@vocab"])}${term}` };
  if (typeof definition === "string") return definition;
  const { "@id": iri, ...form } = definition as { "@id": string };
  const [prefix = "", name = ""] = iri.split(":", 2);
  return `${typeof terms[prefix] === "string" ? `${terms[prefix]}${name}` : iri} ${JSON.stringify(form)}`;
}
