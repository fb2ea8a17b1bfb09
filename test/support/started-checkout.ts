import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { freePort } from "./free-port.ts";

export const ROOT = join(import.meta.dirname, "..", "..");

/** `npm start` as a new user runs it, in an environment of its own: no NATS anywhere, free ports, an empty data folder. */
export class StartedCheckout {
  readonly env: NodeJS.ProcessEnv;
  readonly child: ChildProcess;
  readonly said = { stdout: "", stderr: "" };

  /** By `npm`, it is the head of a process group of its own, as a shell or systemd would make it. */
  constructor(env: NodeJS.ProcessEnv, { byNpm = false }: { readonly byNpm?: boolean } = {}) {
    this.env = env;
    this.child = byNpm
      ? spawn("npm", ["start"], { cwd: ROOT, env, detached: true })
      : spawn(process.execPath, [join(ROOT, "src", "bin.js"), "start"], { cwd: ROOT, env });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.said.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.said.stderr += text));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("it could not be started");
    return this.child.pid;
  }

  /** Resolves when it has printed its hooks. Throws what it said when it ends before. */
  async ready(): Promise<void> {
    while (!this.said.stdout.includes("See events arrive")) {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}: ${this.said.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The exit code, when it has ended by itself or by a signal that it minds. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.ended();
  }
}

/** Settings for a checkout that must not meet another one on this machine. */
export async function checkoutEnv(dataDir: string): Promise<Record<string, string | undefined>> {
  const [nats, smtp, http, admin] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  return {
    ...process.env,
    POSTHORN_NATS_URL: `nats://127.0.0.1:${nats}`,
    POSTHORN_DATA_DIR: dataDir,
    POSTHORN_SMTP_LISTEN: `127.0.0.1:${smtp}`,
    POSTHORN_HTTP_LISTEN: `127.0.0.1:${http}`,
    POSTHORN_ADMIN_LISTEN: `127.0.0.1:${admin}`,
    POSTHORN_PUBLIC_URL: `http://127.0.0.1:${http}`,
  };
}
