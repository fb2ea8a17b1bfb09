import { extract } from "../../src/library.ts";
import type { Family } from "./families.ts";
import { FAMILIES } from "./families.ts";

const SIZES = [65_536, 131_072, 262_144, 524_288];
const ROUNDS = 3;
/** Each measurement repeats the work until so much CPU time went into it: clocks tick in milliseconds. */
const LEAST_MS = 30;
/** A header of more than 256 KiB is a limit, not work. */
const HEADER_SHARE = 3;

interface Measured {
  readonly family: Family;
  /** CPU time per size, in milliseconds. */
  readonly times: readonly number[];
  /** Slope of the times over the sizes, both as logarithms. */
  readonly exponent: number;
}

// Milliseconds of CPU time per size for each hostile family, and the exponent of the growth: 1 is linear, 2 quadratic. The
// last lines name the largest exponent and the slowest input of 64 KB. Run: npm run bench:hostile
const only = process.argv[2];
const families = FAMILIES.filter(({ name, as }) => only === undefined || `${as}: ${name}`.includes(only));
print(`${"family".padEnd(46)}${SIZES.map((size) => `${size / 1024} KB`.padStart(9)).join("")}  exponent`);
const measured: Measured[] = [];
for (const family of families) {
  const one = await measure(family);
  measured.push(one);
  const { name, as } = family;
  print(
    `${`${as}: ${name}`.padEnd(46)}${one.times.map((ms) => ms.toFixed(2).padStart(9)).join("")}  ${one.exponent.toFixed(2)}`,
  );
}
const steepest = measured.toSorted((a, b) => b.exponent - a.exponent)[0];
const slowest = measured.toSorted((a, b) => (b.times[0] ?? 0) - (a.times[0] ?? 0))[0];
if (steepest !== undefined && slowest !== undefined) {
  print(`\n${measured.length} families; largest exponent ${steepest.exponent.toFixed(2)} (${steepest.family.name})`);
  print(`slowest 64 KB: ${(slowest.times[0] ?? 0).toFixed(1)} ms (${slowest.family.as}: ${slowest.family.name})`);
}

async function measure(family: Family): Promise<Measured> {
  const texts = SIZES.map((size) => family.make(family.inHeader ? size / HEADER_SHARE : size));
  const times: number[] = texts.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, text] of texts.entries())
      times[index] = Math.min(times[index] ?? Number.POSITIVE_INFINITY, await millisecondsOf(text, family.as));
  }
  return { family, times, exponent: slopeOf(SIZES.map(Math.log2), times.map(Math.log2)) };
}

async function millisecondsOf(text: string, as: Family["as"]): Promise<number> {
  // CPU time of this thread: what else runs on the machine, and the engine's own threads, count for nobody.
  const started = process.threadCpuUsage();
  for (let times = 1; ; times += 1) {
    await extract(text, { as });
    const { user, system } = process.threadCpuUsage(started);
    const ms = (user + system) / 1_000;
    if (ms >= LEAST_MS) return ms / times;
  }
}

/** Least squares. */
function slopeOf(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((sum, x, index) => sum + (x - meanX) * ((ys[index] ?? 0) - meanY), 0);
  return covariance / xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
