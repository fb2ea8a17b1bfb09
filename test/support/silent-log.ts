import type { Log } from "../../src/telemetry/log.ts";

/** A log that nobody reads, for tests that look at what is answered and not at what is logged. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
