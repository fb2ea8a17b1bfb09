import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { READ_LIMITS } from "../../src/engine/budgets.ts";
import { parseMail } from "../../src/parse/mail.ts";
import { filesBelow } from "../conformance/suite.ts";
import type { Finder } from "./extract-rivals.ts";
import { mailparserAndCheerio, ours, postalMimeAndHtmlparser2 } from "./extract-rivals.ts";

const TOOLS: readonly (readonly [name: string, find: Finder])[] = [
  ["posthorn extract", ours],
  ["mailparser + cheerio", mailparserAndCheerio],
  ["postal-mime + htmlparser2", postalMimeAndHtmlparser2],
];
const ROUNDS = 5;
const MAX_SHOWN = 40;

interface Input {
  readonly name: string;
  readonly bytes: Buffer;
}

// Three tools over the same mails, interleaved: things found and megabytes a second of CPU time (median of the rounds, with the slowest
// and fastest one), and by name what another tool found and ours did not. Run: npm run bench:extract -- FOLDER
const [folder, only = ""] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: npm run bench:extract -- FOLDER [PART OF A TITLE] (the corpus: mail/, pages/)\n");
  process.exit(2);
}
const mails = await read(join(folder, "mail"), (file) => !file.endsWith(".json"));
const pages = await read(join(folder, "pages"), (file) => /\.(?:html?|xhtml)$/.test(file));
await compare("mails with HTML", mails.filter(hasHtml));
await compare("all mails", mails);
await compare("pages as mails", pages.map(asMail));

async function compare(title: string, inputs: readonly Input[]): Promise<void> {
  if (!title.includes(only)) return;
  const bytes = inputs.reduce((sum, input) => sum + input.bytes.length, 0);
  print(`\n${title}: ${inputs.length}, ${(bytes / 1e6).toFixed(1)} MB`);
  const found = new Map<string, readonly ReadonlySet<string>[]>();
  for (const [name, find] of TOOLS) found.set(name, await findAll(find, inputs));
  const times = new Map<string, number[]>(TOOLS.map(([name]) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, find] of TOOLS) {
      // CPU time: what else runs on the machine counts for nobody.
      const started = process.cpuUsage();
      await findAll(find, inputs);
      const { user, system } = process.cpuUsage(started);
      times.get(name)?.push((user + system) / 1_000);
    }
  }
  const base = median(times.get("posthorn extract") ?? []);
  for (const [name] of TOOLS) {
    const all = times.get(name) ?? [];
    const speed = (ms: number) => (bytes / ms / 1_000).toFixed(1);
    const count = (found.get(name) ?? []).reduce((sum, { size }) => sum + size, 0);
    print(
      `  ${name.padEnd(28)}${String(count).padStart(5)} items ${speed(median(all)).padStart(7)} MB/s (${speed(Math.max(...all))} to ${speed(Math.min(...all))}), ${(median(all) / base).toFixed(1)} times our time`,
    );
  }
  const missed = missedBy(found, inputs);
  print(`  found by another tool and not by ours: ${missed.length}`);
  for (const line of missed.slice(0, MAX_SHOWN)) print(`    ${line}`);
}

async function findAll(find: Finder, inputs: readonly Input[]): Promise<ReadonlySet<string>[]> {
  const all: ReadonlySet<string>[] = [];
  for (const { bytes } of inputs) all.push(await find(bytes).catch(() => new Set<string>()));
  return all;
}

function missedBy(found: ReadonlyMap<string, readonly ReadonlySet<string>[]>, inputs: readonly Input[]): string[] {
  const own = found.get("posthorn extract") ?? [];
  return [...found].flatMap(([tool, sets]) =>
    sets.flatMap((set, index) =>
      [...set]
        .filter((thing) => own[index]?.has(thing) !== true)
        .map((thing) => `${tool}: ${inputs[index]?.name ?? ""}: ${thing.slice(0, 100)}`),
    ),
  );
}

async function read(root: string, isWanted: (file: string) => boolean): Promise<Input[]> {
  const files = (await filesBelow(root)).filter(isWanted);
  return Promise.all(files.map(async (name) => ({ name, bytes: await readFile(join(root, name)) })));
}

function hasHtml({ bytes }: Input): boolean {
  const parsing = parseMail(bytes, READ_LIMITS.mime);
  return parsing.kind === "mail" && parsing.parts.some(({ mediaType }) => mediaType === "text/html");
}

/** A page as mail programs send one: beside a text, in quoted-printable. */
function asMail({ name, bytes }: Input): Input {
  const head = `From: shop@shop.example\r\nTo: orders@hooks.example\r\nSubject: ${name}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_b"\r\n\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nSee the page.\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`;
  return { name, bytes: Buffer.from(`${head}${quotedPrintable(bytes)}\r\n--=_b--\r\n`, "latin1") };
}

/** RFC 2045 §6.7, lines of 76 characters at most. */
function quotedPrintable(bytes: Buffer): string {
  const out: string[] = [];
  let width = 0;
  for (const [unit] of bytes.toString("latin1").matchAll(/\r?\n|[ \t](?=\r?\n)|[^]/g)) {
    const isLineEnd = unit.endsWith("\n");
    const written = isLineEnd ? "\r\n" : isPlain(unit) ? unit : `=${hex(unit)}`;
    if (!isLineEnd && width + written.length > 75) {
      out.push("=\r\n");
      width = 0;
    }
    out.push(written);
    width = isLineEnd ? 0 : width + written.length;
  }
  return out.join("");
}

function isPlain(unit: string): boolean {
  return /^[\t -<>-~]$/.test(unit);
}

function hex(unit: string): string {
  return unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
