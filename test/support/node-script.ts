import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "..", "..");

/** A Node process that runs `code`, a module in which relative imports start at the top of the checkout. */
export class NodeScript {
  readonly #child: ChildProcess;
  readonly #firstLine: Promise<string>;

  constructor(code: string) {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    this.#firstLine = new Promise((resolve) => {
      createInterface(child.stdout)
        .once("line", resolve)
        .once("close", () => resolve(""));
    });
  }

  /** The first line it printed; "" when it ended without one. */
  firstLine(): Promise<string> {
    return this.#firstLine;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill(signal);
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill("SIGKILL");
  }
}
