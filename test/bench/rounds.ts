import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Machine } from "./machine.ts";
import { describeMachine, machineInWords } from "./machine.ts";

// Before anything is started.
const MACHINE = describeMachine();

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

/** Runs each contestant once a round, in turn; the first round warms up and is thrown away. `what` is for who watches. */
export async function interleave<T>(
  names: readonly string[],
  rounds: number,
  run: (name: string, round: number) => Promise<T>,
  what = "",
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      progress(`  ${what}${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}: ${name}`);
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

/** A run of one bench as it is kept in `results/`. */
export interface Recorded {
  readonly machine: Machine;
  readonly at: string;
  readonly rows: readonly Row[];
}

/** Less than this share is no move, whatever the spread. */
const LEAST_MOVE = 0.05;

/** Prints the table, keeps it as JSON beside the bench, and says what moved since the last run. */
export async function report(bench: string, rows: readonly Row[]): Promise<void> {
  const last = await readRecorded(bench);
  print(`\n${bench}: ${machineInWords(MACHINE)}`);
  for (const { what, measured, target, atMost, unit = "x" } of rows) {
    const met =
      target === undefined
        ? ""
        : (atMost === true ? measured.median <= target : measured.median >= target)
          ? "met"
          : "MISSED";
    print(
      `  ${what.padEnd(58)}${figure(measured.median).padStart(9)} ${unit.padEnd(8)} (${figure(measured.least)} to ${figure(measured.most)})` +
        (target === undefined ? "" : `  target ${atMost === true ? "<=" : ">="} ${target} ${met}`),
    );
  }
  if (last !== undefined) printMoves(rows, last);
  await mkdir(RESULTS, { recursive: true });
  const recorded: Recorded = { machine: MACHINE, at: new Date().toISOString(), rows };
  await writeFile(fileOf(bench), `${JSON.stringify(recorded, undefined, 2)}\n`);
}

/** The last run of a bench; `undefined` when there was none. */
export async function readRecorded(bench: string): Promise<Recorded | undefined> {
  const text = await readFile(fileOf(bench), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Recorded);
}

/** What left the spread of the last run, and by how much. */
function printMoves(rows: readonly Row[], last: Recorded): void {
  const moves = rows.flatMap(({ what, measured, unit = "x" }) => {
    const before = last.rows.find((row) => row.what === what)?.measured;
    if (before === undefined) return [];
    const isInside = measured.median >= before.least && measured.median <= before.most;
    const change = measured.median / before.median - 1;
    if (isInside || !(Math.abs(change) >= LEAST_MOVE)) return [];
    const percent = `${change > 0 ? "+" : ""}${(change * 100).toFixed(0)} %`;
    return [`    ${what.padEnd(60)}${figure(before.median)} to ${figure(measured.median)} ${unit} (${percent})`];
  });
  const { machine, at } = last;
  print(`  since ${at.slice(0, 16).replace("T", " ")}, commit ${machine.commit}, load ${machine.load}:`);
  for (const line of moves.length === 0 ? ["    nothing moved"] : moves) print(line);
}

const RESULTS = join(import.meta.dirname, "results");
const fileOf = (bench: string) => join(RESULTS, `${bench}.json`);

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Says on stderr what is going on. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}
