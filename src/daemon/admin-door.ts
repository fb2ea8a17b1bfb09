import { createAdminServer } from "../admin/server.ts";
import type { AdminServices } from "../admin/services.ts";
import type { Settings } from "../config/settings.ts";
import { OperatorError } from "../model/operator-error.ts";
import { hookRow } from "../registry/hook-row.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { adminToken } from "./admin-token.ts";
import { checkHealth } from "./health.ts";
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
  readonly log: Log;
  readonly metrics: Metrics;
  readonly isServing: () => boolean;
}

/** Opens the admin listener. Throws `OperatorError` when its address is taken or the token cannot be kept. */
export async function openAdminDoor(parts: AdminDoorParts): Promise<AdminDoor> {
  const { settings, log } = parts;
  const { at } = settings.adminListen;
  if (at === "off") return { address: undefined, close: async () => undefined };
  const { token, file } = await adminToken(settings);
  const server = createAdminServer(servicesOf(parts), { token, adminUrl: undefined });
  const where = "path" in at ? `unix:${at.path}` : `${at.host}:${at.port}`;
  try {
    await server.listen("path" in at ? { path: at.path } : { host: at.host, port: at.port });
  } catch (error) {
    throw new OperatorError(
      `cannot listen for administrators on ${where}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      "is another Posthorn running? stop it, or choose another address with POSTHORN_ADMIN_LISTEN",
      { cause: error },
    );
  }
  const bound = server.server.address();
  const address = typeof bound === "object" && bound !== null && "host" in at ? `${at.host}:${bound.port}` : where;
  log.info("Listening for administrators", { door: "admin", address, ...(file !== undefined && { tokenFile: file }) });
  return { address, tokenFile: file, close: () => server.close() };
}

function servicesOf({ settings, storage, log, metrics, isServing }: AdminDoorParts): AdminServices {
  const { snapshot } = storage;
  const where = { mailDomains: settings.mailDomain, publicUrl: settings.publicUrl };
  return {
    apps: () => snapshot.apps(),
    hooks: () => snapshot.hooks().map((hook) => ({ ...hookRow(hook, where), options: hook.options })),
    checkHealth: () => checkHealth(storage, settings),
    isServing,
    metricsText: () => metrics.text(),
    now: Date.now,
    log,
  };
}
