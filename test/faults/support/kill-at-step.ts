import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { isMainThread } from "node:worker_threads";

// Loaded into the daemon before its own code. After SIGUSR2 it counts what goes in and out of every socket, and at the
// step that POSTHORN_TEST_KILL_AT names the process kills itself: before a write leaves, and before a read is seen.

if (isMainThread) {
  const killAt = Number(process.env["POSTHORN_TEST_KILL_AT"]);
  let counting = false;
  let step = 0;
  const count = () => {
    if (!counting) return;
    step += 1;
    if (step === killAt) process.kill(process.pid, "SIGKILL");
  };
  process.on("SIGUSR2", () => {
    counting = true;
    // Not through the stream of stderr: that is a socket too.
    writeSync(2, "Steps are counted from now on\n");
  });
  const proto = Socket.prototype as unknown as Record<"push" | "_write" | "_writev", (...args: unknown[]) => unknown>;
  for (const name of ["push", "_write", "_writev"] as const) {
    const original = proto[name];
    proto[name] = function counted(this: Socket, ...args: unknown[]) {
      count();
      return original.apply(this, args);
    };
  }
}
