import { readFile } from "node:fs/promises";
import { join } from "node:path";

import jsonld from "jsonld";

import { posthornExtract } from "../../support/posthorn-extract.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, filesBelow, pass } from "../suite.ts";

type Terms = Readonly<Record<string, unknown>>;
type Expanded = Readonly<Record<string, unknown>>;

const CONTEXT = "https://schema.org";

/**
 * The context of schema.org as released against the one that we derive: a document that uses every term of it, expanded by
 * `posthorn extract` with ours and by the library with the released one. Each term stands for the same address with the same
 * kind of value in both.
 */
export const suite: ConformanceSuite = {
  name: "schema.org context",
  folder: "contexts",
  argued: {},
  async *cases(folder) {
    for (const file of await filesBelow(folder)) {
      const released = (JSON.parse(await readFile(join(folder, file), "utf8")) as { "@context": Terms })["@context"];
      const terms = Object.keys(released);
      const [ours, theirs] = await Promise.all([expandedByUs(terms), expandedWith(released, terms)]);
      for (const [index, term] of terms.entries())
        yield { name: `${file} ${term}`, run: () => compare(meaningOf(index, ours), meaningOf(index, theirs)) };
    }
  },
};

/** Every term with a value of its own. Those that stand for keywords are in a node each: they say something of the node. */
function documentOf(context: unknown, terms: readonly string[]): object {
  return { "@context": context, "@graph": terms.map((term, index) => ({ name: `${index}`, [term]: valueOf(index) })) };
}

const valueOf = (index: number) => `v${index}`;

async function expandedByUs(terms: readonly string[]): Promise<readonly Expanded[]> {
  const document = JSON.stringify(documentOf(CONTEXT, terms));
  const { payload, deadLetter } = await posthornExtract(document, "terms.jsonld", "--jsonld", "expand");
  if (payload === null) throw new Error(`nothing was extracted: ${deadLetter?.detail}`);
  return JSON.parse(payload.json) as Expanded[];
}

async function expandedWith(released: Terms, terms: readonly string[]): Promise<readonly Expanded[]> {
  const options = { base: null as unknown as string };
  return (await jsonld.expand(documentOf(released, terms) as jsonld.JsonLdDocument, options)) as Expanded[];
}

function compare(ours: string | undefined, theirs: string | undefined): Verdict {
  return ours !== undefined && ours === theirs ? pass : fail(`${ours} instead of ${theirs}`);
}

/** What became of the node of a term. */
function meaningOf(index: number, nodes: readonly Expanded[]): string | undefined {
  const node = nodes[index];
  return node === undefined ? undefined : JSON.stringify(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)));
}
