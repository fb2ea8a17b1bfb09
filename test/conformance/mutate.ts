import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { READ_LIMITS } from "../../src/engine/budgets.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { MailReading } from "../../src/engine/read-mail.ts";
import type { TaskFailure } from "../../src/engine/work.ts";
import { mutate, randomOf } from "./mutation.ts";
import { filesBelow } from "./suite.ts";

const WORKERS = 2;
/** Contract §9. */
const PARSE_TIMEOUT_MS = 10_000;
const DEFAULT_COUNT = 10_000;
const ORDINARY = Buffer.from('Subject: x\r\nContent-Type: application/json\r\n\r\n{"a":1.10}\r\n');
/** Whole corpus files are read as mails; pages are put into one. */
const FOLDERS: readonly (readonly [folder: string, head: string])[] = [
  ["mail", ""],
  ["pages", "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"],
  ["mail-text", "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"],
  ["json", "MIME-Version: 1.0\r\nContent-Type: application/json\r\n\r\n"],
];

// Damages corpus files at random and reads each through the daemon's own worker pool; nothing may crash, hang or cost a
// worker. The seed is printed and gives the same run again. Run: npm run mutate -- FOLDER [COUNT] [SEED]
const [folder, count = String(DEFAULT_COUNT), seed = String(Date.now() % 1_000_000_000)] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: npm run mutate -- FOLDER [COUNT] [SEED]\n");
  process.exit(2);
}
process.exitCode = await run(folder, Number(count), Number(seed));

async function run(root: string, total: number, firstSeed: number): Promise<number> {
  print(`seed ${firstSeed}, ${total} mutants`);
  const originals = await loadOriginals(root);
  const failures: string[] = [];
  const counts = new Map<string, number>();
  let slowest = { ms: 0, name: "" };
  await using engine = new Engine({
    workers: WORKERS,
    parseTimeoutMs: PARSE_TIMEOUT_MS,
    maxWaiting: WORKERS,
    limits: READ_LIMITS,
    dnsServers: [],
    authservIds: [],
    objectBucket: "",
    onRestart: (why) => failures.push(`a thread was replaced: ${why}`),
    onFault: (sentence, error) => failures.push(`${sentence}: ${error}`),
  });
  let next = 0;
  const lane = async () => {
    while (next < total) {
      const number = next;
      next += 1;
      // Each mutant has a seed of its own, so that one can be made again without the others.
      const random = randomOf(firstSeed + number);
      const original = originals[random(originals.length)];
      const other = originals[random(originals.length)];
      if (original === undefined || other === undefined) return;
      const mutant = mutate(original.bytes, other.bytes, random);
      const bytes = Buffer.from(new SharedArrayBuffer(mutant.length));
      mutant.copy(bytes);
      const startedAt = performance.now();
      const result = await engine.report(bytes, [{ options: { jsonld: number % 8 === 0 ? "expand" : "as-sent" } }]);
      const ms = performance.now() - startedAt;
      if (ms > slowest.ms) slowest = { ms, name: original.name };
      const outcome = outcomeOf(result);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (outcome.startsWith("FAILED")) failures.push(`mutant ${number} of ${original.name}: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, lane));
  const after = await Promise.all(
    Array.from({ length: WORKERS }, () => engine.report(ORDINARY, [{ options: { jsonld: "as-sent" } }])),
  );
  if (after.some((result) => outcomeOf(result) !== "payload"))
    failures.push("an ordinary mail afterwards was not read");
  for (const [outcome, times] of [...counts].sort((a, b) => b[1] - a[1]))
    print(`${outcome.padEnd(36)}${String(times).padStart(7)}`);
  print(`slowest ${slowest.ms.toFixed(0)} ms (${slowest.name})`);
  for (const failure of failures) print(`FAILED ${failure}`);
  print(`${total - Math.min(total, failures.length)} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

async function loadOriginals(root: string): Promise<{ name: string; bytes: Buffer }[]> {
  const originals: { name: string; bytes: Buffer }[] = [];
  for (const [name, head] of FOLDERS) {
    for (const file of await filesBelow(join(root, name))) {
      const bytes = await readFile(join(root, name, file));
      originals.push({ name: join(name, file), bytes: Buffer.concat([Buffer.from(head), bytes]) });
    }
  }
  return originals;
}

/** What became of a mutant: what the contract allows by its name, everything else is a failure. */
function outcomeOf(result: MailReading | TaskFailure): string {
  if (result.kind === "limit") return `limit-exceeded (${result.limit})`;
  if (result.kind !== "read") return `FAILED ${result.kind}${"error" in result ? `: ${result.error}` : ""}`;
  const [choice] = result.choices;
  if (choice === undefined) return "FAILED no choice";
  if (choice.kind === "payload") {
    // Throws, and so fails the run, when a payload is no JSON.
    JSON.parse(choice.value);
    return "payload";
  }
  return choice.kind === "nothing" ? choice.code : choice.kind;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
