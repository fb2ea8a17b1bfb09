import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Contestant } from "./contestant.ts";
import { end } from "./contestant.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const START_TIMEOUT_MS = 30_000;
const FIRST_PORT = 20_000;

/** A package of a peer, in a folder of its own that goes away with it: too large to be installed for everybody. */
export interface FetchedPeer extends AsyncDisposable {
  readonly folder: string;
}

/** Installs `wanted` (name@version) without running a script of it; `kept` is a folder that holds it from an earlier run. */
export async function fetchPackage(wanted: string, kept?: string): Promise<FetchedPeer> {
  if (kept !== undefined) return { folder: kept, [Symbol.asyncDispose]: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), "posthorn-peer-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"];
    await promisify(execFile)("npm", ["install", "--prefix", folder, ...flags, wanted]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { folder, [Symbol.asyncDispose]: dispose };
}

/** Haraka with one plugin that does what the obvious program does, and no other. */
export async function startHaraka({ folder }: FetchedPeer, natsUrl: string): Promise<Contestant> {
  const home = join(folder, "haraka");
  await cp(join(folder, "node_modules", "Haraka", "config"), join(home, "config"), { recursive: true });
  await mkdir(join(home, "plugins"), { recursive: true });
  // Below the ports that the system hands out: a connection to one of those may be answered by itself.
  const port = FIRST_PORT + (process.pid % 10_000);
  const files: Readonly<Record<string, string>> = {
    "smtp.ini": `listen=127.0.0.1:${port}\nnodes=0\n`,
    plugins: "order_event\n",
    loglevel: "WARN\n",
    me: "localhost\n",
    host_list: "localhost\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, "config", name), text);
  await copyFile(join(import.meta.dirname, "peers", "haraka-plugin.cjs"), join(home, "plugins", "order_event.js"));
  const child = spawn(process.execPath, [join(folder, "node_modules", "Haraka", "bin", "haraka"), "-c", home], {
    cwd: home,
    env: { ...process.env, BENCH_CHECKOUT: `${ROOT}/`, BENCH_NATS: natsUrl },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await untilListening(port);
  } catch (error) {
    await end(child);
    throw error;
  }
  const pid = child.pid ?? 0;
  return { name: "haraka", port, pid, target: "orders@localhost", [Symbol.asyncDispose]: () => end(child) };
}

async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      // An end without a greeting is no greeting.
      const [data] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as unknown[];
      if (data instanceof Uint8Array) return;
      throw new Error("closed");
    } catch (error) {
      if (Date.now() > deadline) throw new Error("Haraka did not start", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      socket.destroy();
    }
  }
}
