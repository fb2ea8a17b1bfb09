import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { NatsConnection } from "@nats-io/transport-node";
import { connect } from "@nats-io/transport-node";

import { findNatsServer } from "../../src/nats/find-server.ts";
import { spawnBound } from "../../src/nats/spawn-bound.ts";
import { silentLog } from "./silent-log.ts";

const START_TIMEOUT_MS = 15_000;

/** A real nats-server with JetStream, on a free port, in a folder of its own. It dies with the test process. */
export class NatsServer {
  readonly folder: string;
  readonly #program: string;
  #config: string;
  #process: ChildProcess | undefined;
  port = -1;

  constructor(program: string, folder: string, config: string) {
    this.#program = program;
    this.folder = folder;
    this.#config = config;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("the nats-server does not run");
    return pid;
  }

  /** Starts the process; the first time on any free port, later on the same one. */
  async start(): Promise<void> {
    const file = join(this.folder, "nats.conf");
    await writeFile(file, `listen: "127.0.0.1:${this.port}"\nports_file_dir: "${this.folder}"\n${this.#config}\n`);
    const logFile = join(this.folder, "nats.log");
    const child = spawnBound(this.#program, ["-c", file], { logFile, endSignal: "KILL" });
    this.#process = child;
    await once(child, "spawn");
    // The file appears when the listener is open, which nats-server does after its JetStream has recovered.
    this.port = await this.#readPort(child);
  }

  /** SIGSTOP: connections stay up, nothing is answered. Returns when every thread has stopped: on a busy machine that takes its time. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
    const tasks = `/proc/${this.pid}/task`;
    const isStopped = (task: string) => /^State:\s+[TZ]/m.test(statusOf(`${tasks}/${task}/status`));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (existsSync(tasks) && !readdirSync(tasks).every(isStopped))
      if (Date.now() > deadline) throw new Error("nats-server did not stop when it was told to");
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Kills it and starts it on the same port and store; with another configuration when one is given. */
  async restart(config?: string): Promise<void> {
    await this.kill();
    if (config !== undefined) this.#config = config.replaceAll("$FOLDER", this.folder);
    await this.start();
  }

  /** What it has logged so far. */
  log(): Promise<string> {
    return readFile(join(this.folder, "nats.log"), "utf8").catch(() => "no log");
  }

  /** A client of its own, as user `user` whose password is its name, where the configuration has users. */
  connect(user?: string): Promise<NatsConnection> {
    return connect({
      servers: this.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ...(user !== undefined && { user, pass: user }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #readPort(child: ChildProcess): Promise<number> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline && !hasEnded(child)) {
      const name = (await readdir(this.folder)).find((file) => file.endsWith(`_${child.pid}.ports`));
      const text = name === undefined ? "" : await readFile(join(this.folder, name), "utf8");
      const port = /(?:nats|tls):\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) return Number(port);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`nats-server did not start: ${await this.log()}`);
  }
}

/** A thread that has just ended counts as stopped. */
function statusOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "State: Z";
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Starts a nats-server of its own for one test or one file; fails when none can be found. `config` replaces the default
 * JetStream block, `$FOLDER` in it stands for the server's own folder.
 */
export async function startNatsServer(options: { readonly config?: string } = {}): Promise<NatsServer> {
  const { path } = await findNatsServer({ env: process.env, log: silentLog });
  const folder = await mkdtemp(join(tmpdir(), "posthorn-nats-"));
  const config = options.config ?? `jetstream { store_dir: "$FOLDER" }\nmax_payload: 8MB`;
  const server = new NatsServer(path, folder, config.replaceAll("$FOLDER", folder));
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}
