import { hostname, userInfo } from "node:os";

import type { Command } from "commander";

import type { Settings } from "../config/settings.ts";
import { readSettings, unknownSettings } from "../config/settings.ts";
import type { Storage } from "../daemon/storage.ts";
import type { Log } from "../telemetry/log.ts";
import { createLog } from "../telemetry/log.ts";

/** Whether the command was asked for machine-readable output. */
export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<{ json?: boolean }>().json === true;
}

/**
 * Runs `work` with everything that lives in NATS, and closes it again. Creates nothing: what is missing there, `posthorn serve`
 * creates. The settings have the daemon's mail domains and public URL. Only warnings are logged, to stderr. Throws `OperatorError` for what the operator has to mend.
 */
export async function withStorage<T>(work: (storage: Storage, settings: Settings) => Promise<T>): Promise<T> {
  const settings = readSettings(process.env);
  warnOfUnknownSettings(createLog("warn"));
  // Only what a command needs is loaded: `--help` and `extract` know no NATS.
  const [{ openStorage }, { withDaemonsAddresses }, { explained }, { missingStreams }] = await Promise.all([
    import("../daemon/storage.ts"),
    import("../daemon/public-settings.ts"),
    import("../nats/explain.ts"),
    import("../nats/missing-streams.ts"),
  ]);
  await using storage = await openStorage(settings, createLog("warn"), { by: "command" });
  try {
    return await work(storage, withDaemonsAddresses(settings, storage.snapshot.published));
  } catch (error) {
    throw explained(await missingStreams(storage.jsm, error));
  }
}

/** Names each variable that looks like a setting and is none, with the setting that it was probably meant to be. */
export function warnOfUnknownSettings(log: Log): void {
  for (const { name, nearest } of unknownSettings(process.env))
    log.warn("Unknown setting is ignored", { name, ...(nearest !== undefined && { didYouMean: nearest }) });
}

/** Notes in the audit log what a command changed. A change that cannot be noted is done all the same, and that is said. */
export async function noteChange(storage: Storage, action: string, target: string, detail?: string): Promise<void> {
  const { writeAudit } = await import("../publish/audit.ts");
  const time = new Date().toISOString();
  const entry = { time, actor: actor(), via: "cli", action, target, ...(detail !== undefined && { detail }) } as const;
  await writeAudit(storage.js, entry).catch((error: unknown) => {
    createLog("warn").warn("The change is done, and is missing from the audit log", { ...entry, error });
  });
}

/** `user@machine`; a container's user may have no name. */
function actor(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // No entry in the user database: the number is all there is.
    return `uid ${process.getuid?.() ?? "?"}@${hostname()}`;
  }
}
