import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import jsonld from "jsonld";
import { parse, type DefaultTreeAdapterMap } from "parse5";

import { posthornExtract } from "../../support/posthorn-extract.ts";
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
  const base = option.base ?? url.href.replace(url.hash, "");
  const scripts = dataScriptsIn(html);
  const id = url.hash.slice(1);
  const isWanted = (index: number) =>
    option.extractAllScripts === true || (id === "" ? index === 0 : scripts[index]?.id === id);
  const wanted = scripts.filter((_, index) => isWanted(index));
  if (wanted.length === 0 && option.extractAllScripts !== true) return undefined;
  const nodes: unknown[] = [];
  for (const script of wanted) {
    // A page in which this script alone holds data: a mail's payload is one script, a document may be all of them.
    const others = scripts.filter((other) => other !== script);
    const page = without(html, others, option.extractAllScripts === true ? script : undefined);
    const { payload, items } = await posthornExtract(
      page,
      "page.html",
      "--strict",
      "--base",
      base,
      "--jsonld",
      "expand",
    );
    if (payload === null || payload.item.context === "unknown") {
      if (items.length === 0 && script.text.trim() === "") continue;
      return undefined;
    }
    nodes.push(...(JSON.parse(payload.json) as unknown[]));
  }
  return nodes;
}

interface DataScript {
  readonly id: string | undefined;
  readonly text: string;
  /** Offsets of its start tag. */
  readonly start: number;
  readonly end: number;
}

/** The scripts of type `application/ld+json`, as a parser of HTML finds them. */
function dataScriptsIn(html: string): DataScript[] {
  const found: DataScript[] = [];
  const stack: DefaultTreeAdapterMap["node"][] = [parse(html, { sourceCodeLocationInfo: true })];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if ("tagName" in node && node.tagName === "script") {
      const attributes = new Map(node.attrs.map(({ name, value }) => [name, value]));
      const tag = node.sourceCodeLocation?.startTag;
      const [text] = node.childNodes;
      if (/^\s*application\/ld\+json\s*(?:;|$)/i.test(attributes.get("type") ?? "") && tag)
        found.push({
          id: attributes.get("id"),
          text: text !== undefined && "value" in text ? text.value : "",
          start: tag.startOffset,
          end: tag.endOffset,
        });
    }
    if ("childNodes" in node) stack.push(...node.childNodes.toReversed());
  }
  return found;
}

/**
 * The page with those scripts under a type that nobody reads. `member` is one of an array that all scripts are together
 * (JSON-LD 1.1 API, "HTML Content Algorithms"): a graph is a node there.
 */
function without(html: string, others: readonly DataScript[], member: DataScript | undefined): string {
  let page = html;
  const edits = [...others, ...(member === undefined ? [] : [member])];
  for (const script of edits.toSorted((one, other) => other.start - one.start)) {
    const { start, end, text } = script;
    const [tag, rest] = [page.slice(start, end), page.slice(end)];
    const isBare = script === member && /^\s*[^[\s]/.test(text);
    page = `${page.slice(0, start)}${script === member ? tag : tag.replace(/application\/ld\+json/i, "text/x-other")}${isBare ? `[${rest.slice(0, text.length)}]${rest.slice(text.length)}` : rest}`;
  }
  return page;
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
