import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { busyWarning, describeMachine, machineInWords } from "./machine.ts";
import type { Recorded } from "./rounds.ts";
import { progress, readRecorded } from "./rounds.ts";

// Every row of the README's table of speeds. Run: npm run bench -- [BENCH…] [--json FILE]; --help says more.
const BENCHES = {
  mail: { file: "mail.ts", says: "mail door at 20 sessions and 1, beside bare, obvious and Haraka", minutes: 3 },
  http: { file: "http.ts", says: "web hook at 64 connections, beside fastify and Express", minutes: 2 },
  start: { file: "start.ts", says: "serve to first 250; idle memory and CPU", minutes: 1 },
  lmtp: { file: "scale.ts", says: "one mail for ten recipients beside ten mails", minutes: 1 },
  always: { file: "scale.ts", says: "a server that syncs before each ack, beside publishing alone", minutes: 1 },
  hooks: { file: "scale.ts", says: "the same mail with 10 and with 10,000 hooks installed", minutes: 3 },
  events: { file: "scale.ts", says: "the same mail with nothing and with 1,000,000 events stored", minutes: 3 },
  memory: { file: "scale.ts", says: "memory of mails of 25 MB: one, ten in turn, ten at once", minutes: 1 },
  waits: { file: "waits.ts", says: "how long others wait beside each single hostile input", minutes: 2 },
  hostile: { file: "hostile-beside.ts", says: "an ordinary mail beside hostile ones, or beside busy ones", minutes: 2 },
  replicas: {
    file: "replicas.ts",
    says: "one, two and four replicas on one nats-server, and what saturates",
    minutes: 2,
  },
} as const;
type BenchName = keyof typeof BENCHES;
const NAMES = Object.keys(BENCHES) as readonly BenchName[];
/** Flags that the benches take, each with a value: they are handed on. */
const HANDED_ON = ["--rounds", "--ms", "--peers", "--events"] as const;

const HELP = `usage: npm run bench -- [BENCH…] [--json FILE] [--rounds N] [--ms N] [--peers FOLDER] [--events N]

Measures Posthorn beside its peers, all on one nats-server, in interleaved rounds. Without a BENCH all of them run, about
${NAMES.reduce((sum, name) => sum + BENCHES[name].minutes, 0)} minutes. The machine should be quiet.

${NAMES.map((name) => `  ${name.padEnd(10)}${BENCHES[name].says}`).join("\n")}

  --json FILE     writes the machine and all rows there
  --rounds N      rounds that count, after one that warms up
  --ms N          how long each contestant works in a round
  --peers FOLDER  packages of the peers from an earlier \`npm install --prefix FOLDER Haraka@3.3.4 express@5.2.1\`
  --events N      events stored before \`events\` measures

Tables go to stdout, progress to stderr. The last run of each bench is kept in test/bench/results and compared with.

examples:
  npm run bench
  npm run bench -- mail
  npm run bench -- lmtp always --rounds 8
  npm run bench -- mail http --json /tmp/bench.json`;

const asked = readArguments(process.argv.slice(2));
if ("help" in asked) process.stdout.write(`${HELP}\n`);
else if ("wrong" in asked) {
  process.stderr.write(`${asked.wrong}\n\n${HELP}\n`);
  process.exitCode = 2;
} else process.exitCode = await runAll(asked);

type Asked =
  | { readonly names: readonly BenchName[]; readonly handedOn: readonly string[]; readonly json: string | undefined }
  | { readonly help: true }
  | { readonly wrong: string };

function readArguments(args: readonly string[]): Asked {
  const names: BenchName[] = [];
  const handedOn: string[] = [];
  let json: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (arg === "--help" || arg === "-h") return { help: true };
    const name = NAMES.find((each) => each === arg);
    if (name !== undefined) {
      names.push(name);
      continue;
    }
    const value = args[(at += 1)];
    const isFlag = arg === "--json" || HANDED_ON.some((flag) => flag === arg);
    if (!isFlag) return { wrong: `there is no bench and no flag ${arg}` };
    if (value === undefined) return { wrong: `${arg} wants a value` };
    if (arg === "--json") json = value;
    else handedOn.push(arg, value);
  }
  return { names: names.length === 0 ? NAMES : NAMES.filter((name) => names.includes(name)), handedOn, json };
}

/** Each bench in a process group of its own, so that nothing of it stays when it is stopped; the exit code. */
async function runAll({ names, handedOn, json }: Extract<Asked, { names: unknown }>): Promise<number> {
  const machine = describeMachine();
  process.stdout.write(`${machineInWords(machine)}\n`);
  const warning = busyWarning(machine);
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
  const folder = await mkdtemp(join(tmpdir(), "posthorn-bench-run-"));
  let running: ChildProcess | undefined;
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    endGroup(running);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const failed: string[] = [];
  const recorded: Partial<Record<BenchName, Recorded>> = {};
  try {
    for (const [index, name] of names.entries()) {
      if (isStopped) break;
      progress(`${name} (${index + 1} of ${names.length}, about ${BENCHES[name].minutes} min): ${BENCHES[name].says}`);
      const file = join(import.meta.dirname, BENCHES[name].file);
      running = spawn(process.execPath, [file, ...(file.endsWith("scale.ts") ? [name] : []), ...handedOn], {
        // What the bench, its servers and its contestants leave in temporary folders goes with this one.
        env: { ...process.env, TMPDIR: folder },
        stdio: ["ignore", "inherit", "inherit"],
        detached: true,
      });
      const [code] = (await once(running, "exit")) as [number | null];
      endGroup(running);
      const rows = code === 0 ? await readRecorded(name) : undefined;
      if (rows === undefined) failed.push(name);
      else recorded[name] = rows;
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ machine, benches: recorded }, undefined, 2)}\n`);
  if (failed.length > 0) process.stderr.write(`did not end well: ${failed.join(", ")}\n`);
  return failed.length > 0 || isStopped ? 1 : 0;
}

function endGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody of it is left.
  }
}
