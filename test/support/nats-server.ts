import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { NatsConnection } from "@nats-io/transport-node";
import { connect } from "@nats-io/transport-node";

import { findNatsServer } from "../../src/nats/find-server.ts";
import { silentLog } from "./silent-log.ts";

const START_TIMEOUT_MS = 15_000;

/** A real nats-server with JetStream, on a free port, in a folder of its own. It dies with the test process. */
export class NatsServer {
  readonly folder: string;
  readonly #program: string;
  readonly #config: string;
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
    // `sh` reads a pipe that this process holds: when the test process dies, by SIGKILL too, the server goes with it.
    const child = spawn(
      "sh",
      [
        "-c",
        '"$0" -c "$1" >"$2" 2>&1 & server=$!; echo $server; read -r _; kill -9 $server',
        this.#program,
        file,
        join(this.folder, "nats.log"),
      ],
      {
        stdio: ["pipe", "pipe", "ignore"],
      },
    );
    this.#watchdog = child;
    const serverPid = await new Promise<number>((resolve) =>
      child.stdout.once("data", (text: Buffer) => resolve(Number(text.toString()))),
    );
    this.#process = { pid: serverPid } as ChildProcess;
    if (this.port === -1) this.port = await this.#readPort(serverPid);
    await this.#answers();
  }

  #watchdog: ChildProcess | undefined;

  /** SIGSTOP: connections stay up, nothing is answered. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    process.kill(this.pid, "SIGKILL");
    this.#watchdog?.stdin?.end();
    await new Promise<void>((resolve) =>
      this.#watchdog?.exitCode === null ? this.#watchdog.once("exit", () => resolve()) : resolve(),
    );
    this.#process = undefined;
  }

  async restart(): Promise<void> {
    if (this.#process !== undefined) await this.kill();
    await this.start();
  }

  connect(): Promise<NatsConnection> {
    return connect({ servers: this.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== undefined) await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #readPort(serverPid: number): Promise<number> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const name = (await readdir(this.folder)).find((file) => file.endsWith(`_${serverPid}.ports`));
      const text = name === undefined ? "" : await readFile(join(this.folder, name), "utf8");
      const port = /nats:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) return Number(port);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(
      `nats-server did not start: ${await readFile(join(this.folder, "nats.log"), "utf8").catch(() => "no log")}`,
    );
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        await using connection = await connect({ servers: this.url, reconnect: false, timeout: 1_000 });
        await connection.flush();
        return;
      } catch (error) {
        if (Date.now() > deadline) throw new Error("nats-server does not answer", { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

/** Starts a nats-server of its own for one test or one file; fails when none can be found. `config` replaces the default JetStream block. */
export async function startNatsServer(options: { readonly config?: string } = {}): Promise<NatsServer> {
  const { path } = await findNatsServer({ env: process.env, log: silentLog });
  const folder = await mkdtemp(join(tmpdir(), "posthorn-nats-"));
  const config = options.config ?? `jetstream { store_dir: "${folder}" }\nmax_payload: 8MB`;
  const server = new NatsServer(path, folder, config.replaceAll("$FOLDER", folder));
  await server.start();
  return server;
}
