import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

// The shell becomes the program, so that its pid and exit code are the program's. The reader beside it holds the other
// end of our stdin pipe: a line means that the program has ended by itself, the end of the pipe that we have ended.
// A signal to the reader alone ends its `read` with an error, and so the program too: unwatched it would outlive us.
// Descriptor 3, because a shell gives what it puts into the background /dev/null as its stdin.
const SCRIPT = `exec 3<&0
(trap : TERM INT HUP; read -r _ <&3 || kill -"$0" $$) >/dev/null 2>&1 &
log=$1; shift
exec "$@" 3<&- </dev/null >>"$log" 2>&1`;

/**
 * Starts a program that ends when this process does, by SIGKILL too: then `endSignal` reaches it.
 *
 * It lives in a process group of its own, so that Ctrl-C in a terminal does not reach it. Output is appended to `logFile`.
 */
export function spawnBound(
  program: string,
  args: readonly string[],
  options: { readonly logFile: string; readonly endSignal: "TERM" | "KILL" },
): ChildProcess {
  const child = spawn("/bin/sh", ["-c", SCRIPT, options.endSignal, options.logFile, program, ...args], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // When the shell could not even start, nobody reads what is written here, and that is no news: `exit` or `error` tells it.
  child.stdin.on("error", () => undefined);
  child.once("exit", () => child.stdin.end("\n"));
  return child;
}
