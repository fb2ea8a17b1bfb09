import { execFileSync } from "node:child_process";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";

/** Where and on what a bench ran: figures of two machines, or of two loads, are not compared. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of the last minute, before anything was started. */
  readonly load: number;
  /** Short hash, with `+` when files differ from it. */
  readonly commit: string;
}

const QUIET_LOAD = 1;

/** This machine as it is now. */
export function describeMachine(): Machine {
  const [first] = cpus();
  return {
    cores: cpus().length,
    cpu: first?.model ?? arch(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${platform()} ${release()}`,
    node: process.versions.node,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    commit: commitOf(join(import.meta.dirname, "..", "..")),
  };
}

export function machineInWords({ cores, cpu, memoryGb, system, node, load, commit }: Machine): string {
  return `${cores} cores (${cpu}), ${memoryGb} GB, ${system}, Node ${node}, load ${load.toFixed(2)}, commit ${commit}`;
}

/** What to say when other programs run already; `undefined` on a quiet machine. */
export function busyWarning({ load, cores }: Machine): string | undefined {
  return load > QUIET_LOAD
    ? `the load is ${load.toFixed(2)} on ${cores} cores before anything was started: figures will be low and spread wide`
    : undefined;
}

function commitOf(folder: string): string {
  const git = (...args: readonly string[]) => execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" }).trim();
  try {
    return (
      git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+")
    );
  } catch {
    // An unpacked release has no history.
    return "unknown";
  }
}
