import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import jsonld from "jsonld";

import { baseUrlOf } from "../../../src/extract/base-url.ts";
import { transformJsonLd } from "../../../src/extract/json-ld.ts";
import { readJson } from "../../../src/extract/json-text.ts";
import { findScripts } from "../../../src/extract/scripts.ts";
import type { JsonText } from "../../../src/model/mail.ts";
import type { ConformanceSuite, Verdict } from "../suite.ts";
import { fail, pass } from "../suite.ts";

interface ManifestEntry {
  readonly "@id": string;
  readonly "@type": readonly string[];
  readonly input: string;
  readonly expect?: string;
  readonly expectErrorCode?: string;
  readonly option: { readonly base?: string; readonly extractAllScripts?: boolean };
}

const MANIFEST = "html-manifest.jsonld";

/**
 * The W3C's tests for JSON-LD embedded in HTML: which scripts count, what their text is, against which address they are
 * read. What we find is compared as RDF, so that the form of the expectation (expanded, compacted, flattened, N-Quads)
 * does not matter: another form of the same data is the library's work. Repairs are off: the W3C wants errors there.
 */
export const suite: ConformanceSuite = {
  name: "W3C JSON-LD in HTML",
  folder: "jsonld-html",
  argued: {},
  async *cases(folder) {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST), "utf8")) as {
      baseIri: string;
      sequence: readonly ManifestEntry[];
    };
    for (const entry of manifest.sequence) {
      const files = [entry.input.replace(/#.*/, ""), ...(entry.expect === undefined ? [] : [entry.expect])];
      if (files.every((file) => existsSync(join(folder, file))))
        yield { name: entry["@id"], run: () => runEntry(entry, folder, manifest.baseIri) };
    }
  },
};

async function runEntry(entry: ManifestEntry, folder: string, baseIri: string): Promise<Verdict> {
  const url = new URL(entry.input, baseIri);
  const html = await readFile(join(folder, entry.input.replace(/#.*/, "")), "utf8");
  const found = await nodesIn(html, url, entry.option);
  if (entry.expectErrorCode !== undefined)
    return found === undefined
      ? pass
      : fail(`should be refused (${entry.expectErrorCode}), but gave ${JSON.stringify(found)}`);
  const expected = await readFile(join(folder, entry.expect ?? ""), "utf8");
  // te006 wants an error and tr006 an empty graph for the same page without scripts: nothing is what both mean.
  const [ours, theirs] = [await quadsOf(found ?? []), await canonical(expected, entry.expect ?? "")];
  return ours === theirs ? pass : fail(`found\n${ours}\nbut expected\n${theirs}`);
}

/** The expanded document of the scripts that the options ask for; `undefined` where the W3C wants an error. */
async function nodesIn(html: string, url: URL, option: ManifestEntry["option"]): Promise<unknown> {
  const baseUrl = baseUrlOf(html, option.base ?? url.href.replace(url.hash, ""));
  const linked = findScripts(html).filter(({ type }) => type === "application/ld+json");
  const id = url.hash.slice(1);
  const targeted = id === "" ? linked.slice(0, 1) : linked.filter((script) => script.id === id);
  const wanted = option.extractAllScripts === true ? linked : targeted;
  if (wanted.length === 0 && option.extractAllScripts !== true) return undefined;
  const documents: string[] = [];
  for (const { text } of wanted) {
    const reading = readJson(text, { repair: false, maxDepth: 512 });
    if (reading.kind !== "json") return undefined;
    documents.push(...reading.values);
  }
  // All scripts together are one array, in which an array stands member by member (JSON-LD 1.1 API §"HTML Content").
  const members = documents.map((text) => (text.startsWith("[") ? text.slice(1, -1) : text));
  const whole = option.extractAllScripts === true ? `[${members.join(",")}]` : (documents[0] ?? "[]");
  const expanded = await transformJsonLd(whole as JsonText, "expand", baseUrl === undefined ? {} : { baseUrl });
  return expanded === undefined ? undefined : JSON.parse(expanded);
}

function canonical(expected: string, file: string): Promise<string> {
  return file.endsWith(".nq")
    ? canonize(expected, { inputFormat: "application/n-quads" })
    : quadsOf(JSON.parse(expected));
}

function quadsOf(document: unknown): Promise<string> {
  return canonize(document, { safe: false });
}

/** The declared types lag behind the library, which takes N-Quads too and gives them back. */
const canonize = jsonld.canonize as unknown as (input: unknown, options: object) => Promise<string>;
