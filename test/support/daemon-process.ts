import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SRC = join(import.meta.dirname, "..", "..", "src");
const START_TIMEOUT_MS = 90_000;

/** `posthorn serve` as a process of its own, which can be stopped and killed. */
export class DaemonProcess {
  /** For the next start: modules that are loaded before the program, and a shell command that goes before it (`ulimit -n 128`). */
  preload: readonly string[] = [];
  shellBefore: string | undefined;
  /** Starts by `bin.js`, as an operator does, which bounds its memory first; else the program itself. */
  byLauncher = false;
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  /** Everything it logged, JSON lines. */
  log = "";
  smtpPort = 0;

  constructor(env: NodeJS.ProcessEnv, folder: string) {
    this.#env = env;
    this.#folder = folder;
  }

  /** Starts it and waits until it serves. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const preload = this.preload.flatMap((module) => ["--import", module]);
    const program = [process.execPath, ...preload, join(SRC, this.byLauncher ? "bin.js" : "main.ts"), "serve"];
    const [command = "", ...args] =
      this.shellBefore === undefined ? program : ["sh", "-c", `${this.shellBefore}; exec "$@"`, "sh", ...program];
    const child = spawn(command, args, {
      env: { ...this.#env, ...env },
      cwd: this.#folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const from = this.log.length;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    child.stdout.resume();
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!this.log.slice(from).includes("Posthorn serves")) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
        throw new Error(`the daemon did not start: ${this.log.slice(from)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.smtpPort = Number(/"door":"smtp","address":"127\.0\.0\.1:(\d+)"/.exec(this.log.slice(from))?.[1]);
  }

  /** Sends a signal and waits for the end; returns the exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  get hasEnded(): boolean {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("the daemon does not run");
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A daemon process against `natsUrl`; the SMTP port stays the same over restarts when `env` names one. */
export async function startDaemonProcess(
  natsUrl: string,
  env: Readonly<Record<string, string>> = {},
  options: {
    readonly preload?: readonly string[];
    readonly shellBefore?: string;
    readonly byLauncher?: boolean;
  } = {},
): Promise<DaemonProcess> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-daemon-"));
  const daemon = new DaemonProcess(
    {
      ...process.env,
      POSTHORN_NATS_URL: natsUrl,
      POSTHORN_DATA_DIR: folder,
      POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
      POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
      POSTHORN_ADMIN_LISTEN: "127.0.0.1:0",
      POSTHORN_DNS_SERVERS: "127.0.0.1:1",
      ...env,
    },
    folder,
  );
  daemon.preload = options.preload ?? [];
  daemon.shellBefore = options.shellBefore;
  daemon.byLauncher = options.byLauncher === true;
  await daemon.start();
  return daemon;
}
