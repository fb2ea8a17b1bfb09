import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { readNode } from "../../src/extract/json-node.ts";
import { readJson } from "../../src/extract/json-text.ts";
import { filesBelow } from "../conformance/suite.ts";

const ROUNDS = 11;
const PASSES = 5;

// Our reader against the engine's parser on the same texts, interleaved. Run: node test/bench/json-ratio.ts FOLDER (of .json files)
const folder = process.argv[2] ?? ".";
const texts = await validTexts(folder);
const readers: readonly (readonly [name: string, read: (text: string) => unknown])[] = [
  ["JSON.parse", (text) => JSON.parse(text) as unknown],
  ["JSON.parse + JSON.stringify", (text) => JSON.stringify(JSON.parse(text))],
  ["readJson (validity, depth, duplicate names)", (text) => readJson(text, { repair: true, maxDepth: 512 })],
  ["readNode (exact tree)", (text) => readNode(text, 512)],
];
const times = new Map<string, number[]>(readers.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) for (const [name, read] of readers) times.get(name)?.push(timeOf(read));

const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) * PASSES;
const base = median(times.get("JSON.parse") ?? []);
process.stdout.write(`${texts.length} texts, ${(bytes / PASSES / 1e6).toFixed(1)} MB\n`);
for (const [name, all] of times)
  process.stdout.write(
    `${name.padEnd(46)}${(bytes / median(all) / 1_000).toFixed(0).padStart(6)} MB/s, ${(median(all) / base).toFixed(2)} times JSON.parse\n`,
  );

function timeOf(read: (text: string) => unknown): number {
  const started = performance.now();
  for (let pass = 0; pass < PASSES; pass += 1) for (const text of texts) read(text);
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function validTexts(root: string): Promise<string[]> {
  const files = (await filesBelow(root)).filter((file) => file.endsWith(".json"));
  const all = await Promise.all(files.map((file) => readFile(join(root, file), "utf8")));
  return all.filter((text) => readJson(text, { repair: false, maxDepth: 512 }).kind === "json");
}
