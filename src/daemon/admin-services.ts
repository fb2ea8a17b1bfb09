import type { AdminServices, HealthServices, StorageTrouble } from "../admin/services.ts";
import { hooksOpenApi } from "../event/open-api.ts";
import { OperatorError } from "../model/operator-error.ts";
import { causeOf } from "../nats/cause-of.ts";
import { explained } from "../nats/explain.ts";
import { writeAudit } from "../publish/audit.ts";
import { adminDeadLetters } from "./admin-dead-letters.ts";
import type { AdminDoorParts } from "./admin-door.ts";
import { adminEvents } from "./admin-events.ts";
import type { NoteChange } from "./admin-hooks.ts";
import { adminHooks } from "./admin-hooks.ts";
import { adminKeys } from "./admin-keys.ts";
import { adminReading } from "./admin-reading.ts";

function storageTrouble(error: unknown): StorageTrouble | undefined {
  const cause = causeOf(error);
  if (cause === "no-ack" || cause === "nats-away" || cause === "no-responders") return { kind: "away" };
  if (cause === "stream-full") return { kind: "full" };
  const known = cause === "setting-wrong" ? explained(error) : undefined;
  return known instanceof OperatorError ? { kind: "setting", problem: known.message, hint: known.hint } : undefined;
}

/** All that page and API can see and do. */
export function adminServices(parts: AdminDoorParts, health: HealthServices): AdminServices {
  const { settings, storage, stages, log, metrics, isServing, smtpAddress } = parts;
  const noteChange: NoteChange = async ({ name: actor, via }, action, target, detail) => {
    const time = new Date().toISOString();
    const entry = { time, actor, via, action, target, ...(detail !== undefined && { detail }) };
    log.info("Changed by an administrator", entry);
    // The change is done; a log that cannot be written must not say that it failed.
    await writeAudit(storage.js, entry).catch((error: unknown) => {
      log.error("A change is missing from the audit log", { ...entry, error });
    });
  };
  return {
    ...adminHooks({ storage, settings, noteChange, smtpAddress }),
    ...adminEvents(storage),
    ...adminReading(parts, noteChange),
    ...adminDeadLetters(storage, stages, noteChange),
    ...adminKeys(storage, noteChange),
    ...health,
    isServing,
    noteSignIn: (name, role) => noteChange({ name, via: "page" }, "session.begin", role),
    hooksOpenApi: () => hooksOpenApi(storage.snapshot.hooks(), settings.publicUrl),
    metricsText: () => metrics.text(),
    storageTrouble,
    now: Date.now,
    log,
  };
}
