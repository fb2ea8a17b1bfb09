import { extract } from "../../src/library.ts";
import type { ExtractCallOptions } from "../../src/library.ts";

type Kind = NonNullable<ExtractCallOptions["as"]>;

const HALF = 65_536;
const SIZES = [HALF, 2 * HALF, 4 * HALF, 8 * HALF];
const ROUNDS = 5;

const repeat = (unit: string) => (size: number) => unit.repeat(Math.ceil(size / unit.length));
const around = (before: string, unit: string, after: string) => (size: number) => before + repeat(unit)(size) + after;

/** Inputs that cost the naive reader time that grows faster than they do; each is made in any size. */
const FAMILIES: readonly (readonly [name: string, as: Kind, make: (size: number) => string])[] = [
  ["braces in prose", "text", repeat("{ ")],
  ["lines that open", "text", repeat("{\n")],
  ["lines like JSON", "text", repeat('{"a":\n')],
  ["damaged objects", "text", repeat('{"a": {"b": nope}}\n')],
  ["quotes that never close", "text", repeat('{"')],
  ["quote marks in one line", "text", repeat("> ")],
  ["quoted lines of two depths", "text", repeat("> {\n>> {\n")],
  ["fences", "text", repeat("```\n{\n")],
  ["no-break spaces", "text", around('{"a":', "\u00a0", "x")],
  ["forward marks", "text", around('{"a":1}\n', "----- a -----\n", "")],
  ["one item again and again", "text", repeat('{"a":1}\n')],
  ["nesting", "json", repeat("[")],
  ["commas", "json", around("[", ",", "]")],
  ["blanks", "json", around("[1,", " ", "x]")],
  ["missing commas", "json", around("[", "{}", "]")],
  ["several values", "json", repeat("{}")],
  ["comments that never close", "json", repeat("/*")],
  ["HTML comment ends", "json", around("1", "--> ", "x")],
  ["semicolons", "json", around("1", "; ", "x")],
  ["entities", "json", repeat("&quot;")],
  ["backslashes", "json", around('"', "\\", "")],
  ["one name again and again", "json", around("{", '"a":1,', '"a":1}')],
  ["damaged lines", "ndjson", repeat("{nope}\n")],
  ["braces in HTML", "html", around("<p>", "{ ", "")],
  ["pre blocks", "html", repeat("<pre>{</pre>")],
  ["scripts", "html", repeat('<script type="application/json">{}</script>')],
  ["damaged scripts", "html", repeat('<script type="application/json">{nope}</script>')],
];

// Prints milliseconds per size and the exponent of the growth: 1 is linear, 2 quadratic. Run: node test/bench/hostile-families.ts
process.stdout.write(
  `${"family".padEnd(30)}${SIZES.map((size) => `${size / 1024} KB`.padStart(10)).join("")}  exponent\n`,
);
for (const [name, as, make] of FAMILIES) {
  const times: number[] = [];
  for (const size of SIZES) times.push(await fastest(make(size), as));
  const [first = 0] = times;
  const exponent = Math.log2((times.at(-1) ?? 0) / first) / (SIZES.length - 1);
  process.stdout.write(
    `${name.padEnd(30)}${times.map((ms) => ms.toFixed(1).padStart(10)).join("")}  ${exponent.toFixed(2)}\n`,
  );
}

async function fastest(text: string, as: Kind): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await extract(text, { as });
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
