import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { arch, cpus } from "node:os";
import { join } from "node:path";

/** Median, smallest and largest of what the rounds gave. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

/** Round by round one ratio: what else ran on the machine in that round slowed both sides. */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): Spread {
  return spreadOf(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/** Runs each contestant once a round, in turn; the first round warms up and is thrown away. */
export async function interleave<T>(
  names: readonly string[],
  rounds: number,
  run: (name: string, round: number) => Promise<T>,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const result = await run(name, round);
      if (round > 0) results.get(name)?.push(result);
    }
  }
  return results;
}

/** Runs a generator of `load/` with `load` as its only argument and reads the JSON that it prints. */
export async function generate<T>(file: string, load: unknown): Promise<T> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "load", file), JSON.stringify(load)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) text += String(chunk);
  if (text === "") throw new Error(`${file} printed nothing`);
  return JSON.parse(text) as T;
}

/** One line of a bench's table. */
export interface Row {
  readonly what: string;
  readonly measured: Spread;
  /** What the ratio should reach: at least, or at most when `atMost`. */
  readonly target?: number;
  readonly atMost?: boolean;
  readonly unit?: string;
}

/** Prints the table, keeps it as JSON beside the bench, and says what moved since the last run. */
export async function report(bench: string, rows: readonly Row[]): Promise<void> {
  const folder = join(import.meta.dirname, "results");
  const file = join(folder, `${bench}.json`);
  const last = await readFile(file, "utf8").then(
    (text) => (JSON.parse(text) as { readonly rows: readonly Row[] }).rows,
    () => [],
  );
  print(`\n${bench}: ${machine()}`);
  for (const { what, measured, target, atMost, unit = "x" } of rows) {
    const before = last.find((row) => row.what === what)?.measured.median;
    const met =
      target === undefined
        ? ""
        : (atMost === true ? measured.median <= target : measured.median >= target)
          ? "met"
          : "MISSED";
    print(
      `  ${what.padEnd(58)}${figure(measured.median).padStart(9)} ${unit.padEnd(8)} (${figure(measured.least)} to ${figure(measured.most)})` +
        (target === undefined ? "" : `  target ${atMost === true ? "<=" : ">="} ${target} ${met}`) +
        (before === undefined ? "" : `  last ${figure(before)}`),
    );
  }
  await mkdir(folder, { recursive: true });
  await writeFile(
    file,
    `${JSON.stringify({ machine: machine(), at: new Date().toISOString(), rows }, undefined, 2)}\n`,
  );
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} cores (${cpu?.model ?? arch()}), Node ${process.versions.node}`;
}
