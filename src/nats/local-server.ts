import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import type { NatsSettings } from "./connection.ts";
import { answersNats } from "./connection.ts";
import { findNatsServer } from "./find-server.ts";

const START_TIMEOUT_MS = 20_000;
const PROBE_TIMEOUT_MS = 500;
const STOP_TIMEOUT_MS = 5_000;
/** Room for what a mail's largest inline event may hold, far above the 256 KiB at which events move to the Object Store. */
const MAX_PAYLOAD = "8MB";
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

// Reads a pipe that the daemon holds. When the daemon ends, by SIGKILL too, the pipe closes and the server is stopped.
const WATCHDOG = `"$0" -c "$1" >>"$2" 2>&1 & server=$!
read -r _
kill -TERM $server 2>/dev/null
wait $server`;

/**
 * A nats-server of our own with JetStream in the data directory, synced before every ack.
 *
 * Lives in a process group of its own, so that Ctrl-C reaches the daemon first and the server goes last. Throws
 * `OperatorError` when it cannot be started.
 */
export async function startLocalServer(options: {
  readonly settings: NatsSettings;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}): Promise<AsyncDisposable> {
  const { settings, dataDir, log } = options;
  const { hostname, port } = localAddress(settings.url);
  const found = await findNatsServer(options);
  const folder = resolve(dataDir, "nats");
  await mkdir(folder, { recursive: true });
  const config = join(folder, "nats.conf");
  const logFile = join(folder, "nats.log");
  await writeFile(
    config,
    [
      `listen: "${hostname}:${port}"`,
      `max_payload: ${MAX_PAYLOAD}`,
      `jetstream { store_dir: ${JSON.stringify(folder)}, sync_interval: always }`,
      "",
    ].join("\n"),
  );
  const child = spawn("sh", ["-c", WATCHDOG, found.path, config, logFile], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  await answered(settings, child, logFile);
  log.info("Started a nats-server in the data directory", { version: found.version, url: settings.url, folder });
  return { [Symbol.asyncDispose]: () => stop(child) };
}

function localAddress(url: string): { hostname: string; port: string } {
  const parsed = URL.parse(url);
  if (parsed === null || !LOOPBACK.has(parsed.hostname)) {
    throw new OperatorError(
      `no NATS server answers at ${url}`,
      "start it, or set POSTHORN_NATS_URL to a loopback address, where one can be started",
    );
  }
  return { hostname: parsed.hostname === "localhost" ? "127.0.0.1" : parsed.hostname, port: parsed.port || "4222" };
}

async function answered(settings: NatsSettings, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answersNats(settings, PROBE_TIMEOUT_MS))) {
    if (Date.now() < deadline && child.exitCode === null) {
      await new Promise((wake) => setTimeout(wake, 50));
      continue;
    }
    child.stdin?.end();
    const tail = await readFile(logFile, "utf8").then(
      (text) => text.trim().split("\n").at(-1) ?? "",
      () => "",
    );
    throw new OperatorError(`the nats-server did not start: ${tail}`, `see ${logFile}`);
  }
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, STOP_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      done();
    });
    child.stdin?.end();
  });
}
