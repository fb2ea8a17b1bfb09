import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ExtractCallOptions } from "../../src/library.ts";
import { extract } from "../../src/library.ts";
import { filesBelow } from "./suite.ts";

type Kind = NonNullable<ExtractCallOptions["as"]>;

const FOLDERS: readonly (readonly [folder: string, as: Kind, isInput: (file: string) => boolean])[] = [
  ["mail", "mail", (file) => !file.endsWith(".json")],
  ["pages", "html", (file) => /\.(?:html?|xhtml|txt)$/.test(file)],
];

// What the mails and pages of the corpus hold, counted: files, items, repairs, dead letters by reason, the slowest file.
// Run: npm run counts -- FOLDER
const folder = process.argv[2];
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write("usage: npm run counts -- FOLDER (the corpus: mail/, pages/)\n");
  process.exit(2);
}
for (const [name, as, isInput] of FOLDERS) {
  const files = (await filesBelow(join(folder, name))).filter(isInput);
  await count(
    name,
    as,
    files.map((file) => join(folder, name, file)),
  );
}

async function count(name: string, as: Kind, paths: readonly string[]): Promise<void> {
  const counts = new Map<string, number>();
  const add = (what: string, times = 1) => counts.set(what, (counts.get(what) ?? 0) + times);
  let slowest = { ms: 0, path: "" };
  for (const path of paths) {
    const bytes = await readFile(path);
    const started = performance.now();
    const { items, skipped, deadLetter } = await extract(bytes, { as });
    const ms = performance.now() - started;
    if (ms > slowest.ms) slowest = { ms, path };
    add(deadLetter === null ? "files with a payload" : `dead letter: ${deadLetter.code}`);
    add("skipped candidates", skipped.length);
    for (const { format, repaired, source } of items) {
      add(`items: ${format}`);
      for (const repair of repaired) add(`items mended: ${repair}`);
      if (source.forwarded) add("items forwarded");
      if (source.quoted === true) add("items quoted");
    }
  }
  process.stdout.write(`${name}: ${paths.length} files\n`);
  for (const [what, times] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (times > 0) process.stdout.write(`  ${what.padEnd(34)}${String(times).padStart(6)}\n`);
  process.stdout.write(`  slowest: ${slowest.ms.toFixed(0)} ms (${slowest.path})\n\n`);
}
