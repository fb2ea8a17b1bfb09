import { readFile } from "node:fs/promises";

import type { Log } from "../telemetry/log.ts";

/** What the daemon needs beside mail connections: NATS, listeners, threads, HTTP, files. */
const RESERVED_FILES = 80;

/**
 * How many mail connections there may be: what the settings allow, or less where the process may not open so many files.
 *
 * Past that limit the kernel takes a connection and nobody can answer it; 421 is the better answer. Only Linux tells.
 */
export async function connectionsWithinFileLimit(maxConnections: number, log: Log): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const possible = Math.max(1, openFiles - RESERVED_FILES);
  if (possible >= maxConnections) return maxConnections;
  log.warn("Fewer files may be open than connections are allowed; raise the limit (ulimit -n, LimitNOFILE)", {
    openFiles,
    maxConnections,
    connectionsTaken: possible,
  });
  return possible;
}
