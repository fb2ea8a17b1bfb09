import { readFileSync, readlinkSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/** Above the main thread's: a tenth of its share, where both want the same core. */
const NICENESS = 10;

/** The number by which the system knows the calling thread; undefined where there is no /proc. */
export function threadNumber(): number | undefined {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return undefined;
  }
}

/** CPU time that a thread of this process has used, in milliseconds; undefined where the system does not say. */
export function cpuMsOf(thread: number | undefined): number | undefined {
  if (thread === undefined) return undefined;
  try {
    // Nanoseconds on a core, nanoseconds waited, slices (Linux, Documentation/scheduler/sched-stats.rst).
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "latin1").split(" ", 1)[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/**
 * Lets all others go first where the cores are busy: the thread works on what one sender sent, for long. Linux alone gives
 * each thread a niceness of its own (setpriority(2), "C library/kernel differences"); only a privileged process could take
 * it back.
 */
export function standBack(thread: number | undefined): void {
  if (thread === undefined) return;
  try {
    setPriority(thread, Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW));
  } catch {
    // Where it is forbidden all threads have the same turn.
  }
}
