import { readlinkSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/** Above the main thread's: a third of its share, where both want the same core. */
const NICENESS = 5;

/**
 * Lets the main thread go first where the cores are busy: it answers everybody, and a hostile mail keeps a thread busy for
 * long. Linux alone gives each thread a niceness of its own (setpriority(2), "C library/kernel differences").
 */
export function standBack(): void {
  if (process.platform !== "linux") return;
  try {
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW));
  } catch {
    // Without /proc, or where it is forbidden, all threads have the same turn.
  }
}
