import { execFile } from "node:child_process";
import { access, constants, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import { fetchDebianServer } from "./fetch-server.ts";

const run = promisify(execFile);

export interface FoundServer {
  readonly path: string;
  readonly version: string;
}

/** 2.10 brought `sync_interval: always`; an older server drops the option in silence. */
const OLDEST = [2, 10] as const;

/**
 * A nats-server that can be started: on PATH if it is at least 2.10, else fetched before, else the newest that the
 * machine's package manager hands out without changing the system.
 *
 * A release archive is not downloaded: nothing here knows its SHA-256, and an unverified program is not started.
 * Throws `OperatorError` when there is none.
 */
export async function findNatsServer(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}): Promise<FoundServer> {
  const onPath = await firstUsable(
    (options.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "nats-server")),
  );
  if (onPath !== undefined) return onPath;
  const cache = cacheFolder(options.env);
  const fetched = await fromCache(cache);
  if (fetched !== undefined) return fetched;
  const handedOut = await fetchDebianServer(cache, options.log).catch((error: unknown) => {
    options.log.debug("The package manager could not hand out a nats-server", { error });
    return undefined;
  });
  const usable = handedOut === undefined ? undefined : await firstUsable([handedOut]);
  if (usable !== undefined) return usable;
  throw new OperatorError(
    "no nats-server 2.10 or newer was found",
    "install one (https://docs.nats.io/running-a-nats-service/introduction/installation), or set POSTHORN_NATS_URL to one that runs",
  );
}

/** Where a fetched server is kept: `posthorn/nats-server/<version>/nats-server` below the user's cache folder. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base =
    env["XDG_CACHE_HOME"] ||
    (process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache"));
  return join(base, "posthorn", "nats-server");
}

async function fromCache(cache: string): Promise<FoundServer | undefined> {
  const versions = await readdir(cache).catch(() => []);
  const newestFirst = versions
    .filter((name) => /^\d/.test(name))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return firstUsable(newestFirst.map((version) => join(cache, version, "nats-server")));
}

async function firstUsable(paths: readonly string[]): Promise<FoundServer | undefined> {
  for (const path of paths) {
    const version = await versionOf(path);
    if (version !== undefined && isNewEnough(version)) return { path, version };
  }
  return undefined;
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ["--version"], { timeout: 5_000 });
    return /v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    // Not there, not ours to run, or no nats-server: the next place is asked.
    return undefined;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
