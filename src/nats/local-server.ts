import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import type { NatsSettings } from "./connection.ts";
import { answersNats } from "./connection.ts";
import { findNatsServer } from "./find-server.ts";
import { loopbackAddress, redactedUrls } from "./nats-url.ts";
import { ownServerName } from "./own-server.ts";
import { spawnBound } from "./spawn-bound.ts";

const START_TIMEOUT_MS = 20_000;
const PROBE_TIMEOUT_MS = 500;
const PROBE_PAUSE_MS = 50;
const STOP_TIMEOUT_MS = 5_000;
/** Room for what a mail's largest inline event may hold, far above the 256 KiB at which events move to the Object Store. */
const MAX_PAYLOAD = "8MB";
/** What of the free disk the server may fill; nats-server's own share. */
const DISK_SHARE = 0.75;
/** SIGTERM ends nats-server with exit code 1 (2.10.27), SIGINT with 0; a crash of Go is 2. */
const ENDED_BY_SIGNAL: ReadonlySet<number | string | null> = new Set([0, 1, "SIGTERM", "SIGINT"]);

/** Our own server while it runs. */
export interface LocalServer extends AsyncDisposable {
  /**
   * Resolves when it has ended although nobody here asked it to: then everything shall stop. Another one runs in its place
   * by then, so that what is under way reaches its ack. `isOrderly` when it was told to end, and did not crash.
   */
  readonly ended: Promise<{ readonly isOrderly: boolean }>;
}

/** Who may do everything on our own server; nobody else may do anything. */
export interface OwnCredentials {
  readonly user: string;
  readonly password: string;
}

/**
 * A nats-server of our own with JetStream in the data directory, synced before every ack, on loopback only, for whoever
 * knows `credentials`.
 *
 * It ends with this process, also when that is killed; Ctrl-C reaches the daemon first and the server goes last. Throws
 * `OperatorError` when it cannot be started.
 */
export async function startLocalServer(options: {
  readonly settings: NatsSettings;
  readonly credentials: OwnCredentials;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}): Promise<LocalServer> {
  const { credentials, dataDir, log } = options;
  const settings = { ...options.settings, ...credentials };
  const listen = localAddress(settings.url);
  const found = await findNatsServer(options);
  const folder = resolve(dataDir, "nats");
  await mkdir(folder, { recursive: true });
  // The store and the log are files that nats-server makes readable to others.
  await chmod(folder, 0o700);
  const config = join(folder, "nats.conf");
  const maxStoreBytes = await maxStore(folder, config);
  await writePrivately(
    config,
    [
      `server_name: ${JSON.stringify(ownServerName({ maxStoreBytes }))}`,
      `listen: ${JSON.stringify(listen)}`,
      `authorization { user: ${JSON.stringify(credentials.user)}, password: ${JSON.stringify(credentials.password)} }`,
      `max_payload: ${MAX_PAYLOAD}`,
      `jetstream { store_dir: ${JSON.stringify(folder)}, sync_interval: always, max_file_store: ${maxStoreBytes} }`,
      "",
    ].join("\n"),
  );
  const logFile = join(folder, "nats.log");
  const spawn = () => spawnBound(found.path, ["-c", config], { logFile, endSignal: "TERM" });
  const child = spawn();
  await answered(settings, child, logFile);
  log.info("Started a nats-server in the data directory", {
    version: found.version,
    url: redactedUrls(settings.url),
    folder,
  });
  return supervised(child, spawn, log);
}

/** Its successor is started once: whoever ends that one too means it. */
function supervised(first: ChildProcess, spawn: () => ChildProcess, log: Log): LocalServer {
  let current = first;
  let isStopping = false;
  const ended = new Promise<{ readonly isOrderly: boolean }>((resolve) => {
    first.once("exit", (code, signal) => {
      if (isStopping) return;
      log.warn("The nats-server ended; another one takes its place until everything has stopped", { code, signal });
      current = spawn();
      resolve({ isOrderly: ENDED_BY_SIGNAL.has(code ?? signal) });
    });
  });
  return {
    ended,
    [Symbol.asyncDispose]: () => {
      isStopping = true;
      return stop(current);
    },
  };
}

/** Only this user reads it, also where a file of an earlier version stands that everybody may read. */
async function writePrivately(file: string, text: string): Promise<void> {
  const aside = `${file}.new`;
  await rm(aside, { force: true });
  await writeFile(aside, text, { mode: 0o600, flag: "wx" });
  await rename(aside, file);
}

function localAddress(urls: string): string {
  const address = loopbackAddress(urls);
  if (address === undefined) {
    throw new OperatorError(
      `no NATS server answers at ${redactedUrls(urls)}`,
      "start it, or set POSTHORN_NATS_URL to one loopback address, where a server can be started",
    );
  }
  return address;
}

/**
 * How much the server may store: measured at the first start, and kept.
 *
 * Left to itself nats-server takes a share of what is free at each start, less every time: and a stream whose max_bytes
 * is above it is not loaded any more, with everything it holds (seen with 2.10.27; nats-server issue 8322).
 */
async function maxStore(folder: string, config: string): Promise<number> {
  const before = await readFile(config, "utf8").catch(() => "");
  const kept = /max_file_store: (\d{1,15}) /.exec(before)?.[1];
  if (kept !== undefined) return Number(kept);
  const { bavail, bsize } = await statfs(folder);
  return Math.floor(bavail * bsize * DISK_SHARE);
}

async function answered(settings: NatsSettings, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answersNats(settings, PROBE_TIMEOUT_MS))) {
    if (Date.now() < deadline && !hasEnded(child)) {
      await new Promise((wake) => setTimeout(wake, PROBE_PAUSE_MS));
      continue;
    }
    await stop(child);
    throw new OperatorError(`the nats-server did not start: ${await lastLine(logFile)}`, `see ${logFile}`);
  }
  // Somebody else's server took the port in the meantime, and ours gave up.
  if (hasEnded(child))
    throw new OperatorError(`the nats-server did not start: ${await lastLine(logFile)}`, `see ${logFile}`);
}

async function lastLine(logFile: string): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "it wrote no log");
  return text.trim().split("\n").at(-1) ?? "";
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
