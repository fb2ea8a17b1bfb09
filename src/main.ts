import { existsSync } from "node:fs";

import { CommanderError } from "commander";

import { createProgram } from "./cli/program.ts";
import { OperatorError } from "./model/operator-error.ts";

// argv in, exit code out. A checkout's .env is read first; what the environment says already wins.
if (existsSync(".env")) process.loadEnvFile(".env");
// A reader that went away (`posthorn tail | head`) ends us without a stack trace.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has written its own line; help and version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof OperatorError) {
    process.stderr.write(`posthorn: ${error.message}. ${error.hint}\n`);
    return error.exitCode;
  }
  process.stderr.write(`posthorn: something went wrong that is our fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
