import { existsSync } from "node:fs";

import { CommanderError } from "commander";

import { createProgram } from "./cli/program.ts";
import { stackOf } from "./lib/stack-of.ts";
import { OperatorError } from "./model/operator-error.ts";

// argv in, exit code out.

// A checkout's .env is read first; what the environment says already wins. An installed Posthorn reads no file of the
// folder that it happens to be called in.
if (import.meta.filename.endsWith(".ts") && existsSync(".env")) process.loadEnvFile(".env");
// A reader that went away (`posthorn tail | head`) ends us without a stack trace.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
// bin.js may be our parent: when it is gone without a word, nobody passes signals on to us any more.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();

try {
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has written its own line; help and version are no failure.
    if (error.exitCode === 0) return 0;
    printError({ error: error.message.replace(/^error: /, ""), hint: "see `posthorn --help`", exitCode: 2 });
    return 2;
  }
  if (error instanceof OperatorError) {
    const { message, hint, exitCode, problems } = error;
    process.stderr.write(`posthorn: ${message}. ${sentence(hint)}\n`);
    printError({ error: message, hint, exitCode, ...(problems !== undefined && { problems }) });
    return exitCode;
  }
  process.stderr.write(`posthorn: something went wrong that is our fault: ${stackOf(error)}\n`);
  printError({ error: error instanceof Error ? error.message : String(error), hint: "a fault of ours", exitCode: 1 });
  return 1;
}

/** Where machines read, an error is JSON like everything else: on one line, because `tail` writes a value a line. */
function printError(error: Readonly<Record<string, unknown>>): void {
  const args = process.argv.slice(2);
  const end = args.indexOf("--");
  if (!args.slice(0, end < 0 ? undefined : end).includes("--json")) return;
  process.stdout.write(`${JSON.stringify(error)}\n`);
}

/** With a capital letter and a full stop; a hint that begins with a name in backticks stays as it is. */
function sentence(hint: string): string {
  return `${hint.charAt(0).toUpperCase()}${hint.slice(1)}${/[.!?]$/.test(hint) ? "" : "."}`;
}
