import type { Settings } from "../config/settings.ts";
import { OperatorError } from "../model/operator-error.ts";
import { openClients } from "../nats/clients.ts";
import { connectNats } from "../nats/connection.ts";
import { explained } from "../nats/explain.ts";
import type { Log } from "../telemetry/log.ts";
import { checkDaemon } from "./health-daemon.ts";
import { checkEndpoints } from "./health-endpoints.ts";
import { checkMailDoor } from "./health-mail.ts";
import { differencesCheck } from "./health-plans.ts";
import { checkDataDirectory, checkSettings } from "./health-settings.ts";
import type { HealthCheck } from "./health.ts";
import { checkHealth, looked } from "./health.ts";
import { missingAtDaemon, secretsCheck } from "./hook-secrets.ts";
import { natsSettingsOf } from "./nats-settings.ts";
import { withDaemonsAddresses } from "./public-settings.ts";
import type { Storage } from "./storage.ts";
import { openStorage } from "./storage.ts";

/** An election is waited for; a cluster that has lost too many servers is a finding, not something to wait for. */
const PATIENCE_MS = 3_000;

/**
 * Looks at everything that a running Posthorn needs, and creates nothing. Never throws: what cannot be looked at, NATS itself
 * included, is a failed check, and all others are made.
 */
export async function examine(
  settings: Settings,
  { env, log }: { readonly env: NodeJS.ProcessEnv; readonly log: Log },
): Promise<HealthCheck[]> {
  const opened = await openStorage(settings, log, { by: "command", keepTryingMs: PATIENCE_MS }).catch(
    (error: unknown) => error,
  );
  if (!isStorage(opened))
    return [...(await withoutRegistry(settings, opened, log)), ...(await beside(settings, settings, undefined))];
  await using storage = opened;
  const own = withDaemonsAddresses(settings, storage.snapshot.published);
  const [ofNats, others] = await Promise.all([checkHealth(storage, settings), beside(settings, own, storage)]);
  return [...ofNats, secretsCheck(missingAtDaemon(storage, env)), ...others];
}

/** What needs no NATS; `shown` has the addresses of the daemon. */
async function beside(settings: Settings, shown: Settings, storage: Storage | undefined): Promise<HealthCheck[]> {
  const [daemon, folder, mail, endpoints] = await Promise.all([
    checkDaemon(settings),
    checkDataDirectory(settings),
    checkMailDoor(shown, Date.now()),
    checkEndpoints(settings, storage?.snapshot.hooks() ?? []),
  ]);
  return [...daemon, folder, ...checkSettings(shown), ...mail, ...endpoints];
}

/** NATS is away, or something of ours is not there: the second is said stream by stream. */
async function withoutRegistry(settings: Settings, error: unknown, log: Log): Promise<HealthCheck[]> {
  const failed: HealthCheck = { name: "nats", ok: false, detail: inOneLine(explained(error)) };
  const nats = await connectNats(natsSettingsOf(settings), log).catch(() => undefined);
  if (nats === undefined) return [failed];
  const { connection } = nats;
  const compared = await looked("stream settings", async () => {
    const clients = await openClients(connection, settings.natsDomain.value);
    return [await differencesCheck(clients, settings)];
  });
  await connection.close();
  return [failed, ...compared];
}

function inOneLine(error: unknown): string {
  if (error instanceof OperatorError) return `${error.message}. To do: ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}

const isStorage = (value: unknown): value is Storage =>
  typeof value === "object" && value !== null && "snapshot" in value;
