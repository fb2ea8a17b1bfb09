import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { ConformanceCase, ConformanceSuite, Verdict } from "./suite.ts";

/** Share of a suite's cases that must pass, argued ones left out: it may only rise. */
type Floors = Readonly<Record<string, number>>;

interface Score {
  readonly suite: ConformanceSuite;
  readonly passed: number;
  readonly failures: readonly string[];
  readonly argued: readonly string[];
}

const SUITES = new URL("./suites/", import.meta.url);
const MAX_FAILURES_SHOWN = 50;

const folder = process.argv[2];
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write("usage: npm run conformance -- FOLDER (the corpus: json/, mail/, pages/ …)\n");
  process.exit(2);
}
process.exitCode = await runAll(folder);

/** Runs every suite whose inputs are there, prints score, exceptions and failures, and the closing line; the exit code. */
async function runAll(root: string): Promise<number> {
  const floors = JSON.parse(await readFile(new URL("./floors.json", import.meta.url), "utf8")) as Floors;
  let passed = 0;
  let failed = 0;
  for (const suite of await loadSuites()) {
    if (!existsSync(join(root, suite.folder))) {
      print(`${suite.name.padEnd(28)} not in ${root}`);
      continue;
    }
    const score = await runSuite(suite, join(root, suite.folder));
    passed += score.passed;
    failed += score.failures.length + report(score, floors[suite.name] ?? 0);
  }
  print("");
  print(`${passed} passed, ${failed} failed`);
  // Nothing that ran proves nothing.
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function loadSuites(): Promise<ConformanceSuite[]> {
  const files = (await readdir(SUITES)).filter((file) => file.endsWith(".ts")).sort();
  const modules = await Promise.all(
    files.map((file) => import(new URL(file, SUITES).href) as Promise<{ suite: ConformanceSuite }>),
  );
  return modules.map(({ suite }) => suite);
}

async function runSuite(suite: ConformanceSuite, at: string): Promise<Score> {
  let passed = 0;
  const failures: string[] = [];
  const argued: string[] = [];
  for await (const one of suite.cases(at)) {
    const { name } = one;
    progress(`${suite.name}: ${passed + failures.length + argued.length} ${name}`);
    const verdict = await runCase(one);
    const reason = suite.argued[name];
    if (verdict.kind === "pass") passed += 1;
    else if (reason !== undefined) argued.push(`${name}: ${reason}`);
    else failures.push(`${name}: ${verdict.why}`);
  }
  progress("");
  return { suite, passed, failures, argued };
}

async function runCase(one: ConformanceCase): Promise<Verdict> {
  try {
    return await one.run();
  } catch (error) {
    // Nothing may throw for what an input holds: a crash is a failed case, told in full.
    return { kind: "fail", why: `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
  }
}

/** Prints a suite's score; 1 when it fell below its floor although no case failed by name, else 0. */
function report({ suite, passed, failures, argued }: Score, floor: number): number {
  const total = passed + failures.length;
  const share = total === 0 ? 0 : passed / total;
  const percent = `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;
  print(
    `${suite.name.padEnd(28)} ${String(passed).padStart(4)} of ${String(total).padEnd(4)} ${percent.padStart(8)}${argued.length === 0 ? "" : `, ${argued.length} argued`}`,
  );
  for (const line of argued) print(`    argued  ${line}`);
  for (const line of failures.slice(0, MAX_FAILURES_SHOWN)) print(`    FAILED  ${line}`);
  if (failures.length > MAX_FAILURES_SHOWN) print(`    … and ${failures.length - MAX_FAILURES_SHOWN} more`);
  if (share < floor) print(`    FAILED  the score fell below its floor of ${floor * 100} %`);
  return share < floor && failures.length === 0 ? 1 : 0;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line that is written over, on a terminal only. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text.slice(0, process.stderr.columns - 1)}`);
}
