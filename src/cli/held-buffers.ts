import { setFlagsFromString } from "node:v8";

const COUNTS_SO_BY_ITSELF = { major: 14, minor: 8 };

/**
 * Lets V8 begin a big collection by the memory that buffers hold. Before 14.8 it counts every byte that was in a buffer since
 * the last one, so that mail which streams through, garbage already, begins one after the other while all others wait.
 *
 * Source: V8 commits 513bb22991 (on by default) and cf511a65ad (the flag is gone), crbug.com/361124432.
 */
export function countHeldBuffers(v8Version: string): void {
  const [major = 0, minor = 0] = v8Version.split(".").map(Number);
  const { major: fromMajor, minor: fromMinor } = COUNTS_SO_BY_ITSELF;
  if (major > fromMajor || (major === fromMajor && minor >= fromMinor)) return;
  setFlagsFromString("--external-memory-accounted-in-global-limit");
}
