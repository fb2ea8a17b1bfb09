import type { OidcOptions } from "../admin/oidc.ts";
import { openAdminListener } from "../admin/listener.ts";
import { createProbes } from "../admin/probes.ts";
import type { Settings } from "../config/settings.ts";
import { SETTINGS } from "../config/settings.ts";
import type { Engine } from "../engine/engine.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { adminHealth } from "./admin-health.ts";
import { adminToken } from "./admin-token.ts";
import { addressInWords, listenError } from "./listen-error.ts";
import type { Readiness } from "./readiness.ts";
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
  /** What reads mails for the test bench. */
  readonly engine: Engine;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly env: NodeJS.ProcessEnv;
  readonly readiness: Readiness;
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
  let listening;
  try {
    listening = await openAdminListener({
      at,
      probes: createProbes({ checkReadiness: () => parts.readiness.checks(), isServing: parts.isServing }),
      load: async (server) => {
        const [{ createAdminServer }, { adminServices }] = await Promise.all([
          import("../admin/server.ts"),
          import("./admin-services.ts"),
        ]);
        const options = { token, adminUrl: settings.adminUrl.value, oidc: oidcOf(settings) };
        return createAdminServer(adminServices(parts, health), options, server);
      },
      log,
    });
  } catch (error) {
    health[Symbol.dispose]();
    throw listenError({ what: "administrators", at, variable: SETTINGS.adminListen.variable }, error);
  }
  const { port, close: closeListener } = listening;
  const close = async () => {
    health[Symbol.dispose]();
    await closeListener();
  };
  const address = addressInWords("path" in at ? at : { ...at, port });
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
