import type { OidcOptions } from "../admin/oidc.ts";
import { createAdminServer } from "../admin/server.ts";
import type { AdminServices, HealthServices } from "../admin/services.ts";
import type { Settings } from "../config/settings.ts";
import { hooksOpenApi } from "../event/open-api.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import { writeAudit } from "../publish/audit.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { adminDeadLetters } from "./admin-dead-letters.ts";
import { adminEvents } from "./admin-events.ts";
import type { NoteChange } from "./admin-hooks.ts";
import { adminHooks } from "./admin-hooks.ts";
import { adminHealth } from "./admin-health.ts";
import { adminKeys } from "./admin-keys.ts";
import { adminReading } from "./admin-reading.ts";
import { adminToken } from "./admin-token.ts";
import type { Storage } from "./storage.ts";

/** The admin listener, open. */
export interface AdminDoor {
  /** `host:port` or `unix:/path`; undefined when it is switched off. */
  readonly address: string | undefined;
  /** Where the token stands, when it was not a setting. */
  readonly tokenFile?: string | undefined;
  close(): Promise<void>;
}

export interface AdminDoorParts {
  readonly settings: Settings;
  readonly storage: Storage;
  /** What a replay runs through. */
  readonly stages: MailStages;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly isServing: () => boolean;
  /** `host:port` of the SMTP door, once it is open. */
  readonly smtpAddress: () => string | undefined;
  /** `host:port` of the HTTP door, once it is open. */
  readonly httpAddress: () => string | undefined;
}

/** Opens the admin listener. Throws `OperatorError` when its address is taken or the token cannot be kept. */
export async function openAdminDoor(parts: AdminDoorParts): Promise<AdminDoor> {
  const { settings, log } = parts;
  const { at } = settings.adminListen;
  if (at === "off") return { address: undefined, close: async () => undefined };
  const { token, file } = await adminToken(settings);
  const health = adminHealth(parts);
  const server = createAdminServer(servicesOf(parts, health), {
    token,
    adminUrl: settings.adminUrl.value,
    oidc: oidcOf(settings),
  });
  const where = "path" in at ? `unix:${at.path}` : `${at.host}:${at.port}`;
  try {
    await server.listen("path" in at ? { path: at.path } : { host: at.host, port: at.port });
  } catch (error) {
    health[Symbol.dispose]();
    throw new OperatorError(
      `cannot listen for administrators on ${where}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      "is another Posthorn running? stop it, or choose another address with POSTHORN_ADMIN_LISTEN",
      { cause: error },
    );
  }
  const close = async () => {
    health[Symbol.dispose]();
    await server.close();
  };
  const bound = server.server.address();
  const address = typeof bound === "object" && bound !== null && "host" in at ? `${at.host}:${bound.port}` : where;
  log.info("Listening for administrators", { door: "admin", address, ...(file !== undefined && { tokenFile: file }) });
  return { address, tokenFile: file, close };
}

function oidcOf(settings: Settings): OidcOptions | undefined {
  const { value: issuer } = settings.oidcIssuer;
  const { value: clientId } = settings.oidcClientId;
  if (issuer === undefined || clientId === undefined) return undefined;
  const { oidcClaim: claim, oidcRoles: roles } = settings;
  return { issuer, clientId, clientSecret: settings.oidcClientSecret.value, claim, roles };
}

function servicesOf(parts: AdminDoorParts, health: HealthServices): AdminServices {
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
    now: Date.now,
    log,
  };
}
