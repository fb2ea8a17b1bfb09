import { readFileSync } from "node:fs";

/** Linux counts in ticks of a hundredth of a second, whatever the kernel's own clock (proc_pid_stat(5)). */
const TICK_MS = 10;

/** Milliseconds of CPU that a process has used so far, all its threads together. What else runs does not count. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name may hold blanks and brackets; after its last bracket the fields are numbers.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory of a process now, and the most it ever had, in megabytes. */
export function memoryMbOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { now: read("VmRSS"), peak: read("VmHWM") };
}
