import type { Command } from "commander";

import type { Settings } from "../config/settings.ts";
import { readSettings } from "../config/settings.ts";
import type { Storage } from "../daemon/storage.ts";
import { createLog } from "../telemetry/log.ts";

/** Whether the command was asked for machine-readable output. */
export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true;
}

/** Runs `work` with everything that lives in NATS, and closes it again. Only warnings are logged, to stderr. */
export async function withStorage<T>(work: (storage: Storage, settings: Settings) => Promise<T>): Promise<T> {
  const settings = readSettings(process.env);
  // Only what a command needs is loaded: `--help` and `extract` know no NATS.
  const { openStorage } = await import("../daemon/storage.ts");
  await using storage = await openStorage(settings, createLog("warn"));
  return await work(storage, settings);
}
