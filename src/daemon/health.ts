import type { Settings } from "../config/settings.ts";
import { durabilityOf } from "../nats/durability.ts";
import { ownServerOf } from "../nats/own-server.ts";
import { askPermissions } from "../nats/permissions.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { streamFacts } from "../nats/stream-facts.ts";
import { clockCheck } from "./health-clock.ts";
import { permissionsCheck } from "./health-permissions.ts";
import { dedupeCheck, fillCheck } from "./health-stream.ts";
import { subscribersCheck } from "./health-subscribers.ts";
import type { Storage } from "./storage.ts";

/** One thing that was looked at, and what it means. */
export interface HealthCheck {
  readonly name: string;
  /** False keeps `/readyz` at 503: nothing can be taken while it lasts. */
  readonly ok: boolean;
  /** Works, and somebody should look at it. */
  readonly warning?: true;
  /** What was found, and what to do about it. */
  readonly detail: string;
}

const PERMISSIONS_TIMEOUT_MS = 2_000;

/** Looks at NATS, the streams and the registry. Never throws: what cannot be looked at is a failed check. */
export async function checkHealth(storage: Storage, settings: Settings): Promise<HealthCheck[]> {
  const { nats, snapshot } = storage;
  const checks: HealthCheck[] = [
    {
      name: "nats",
      ok: nats.isConnected(),
      detail: nats.isConnected()
        ? `connected to ${nats.connection.getServer()}, nats-server ${nats.connection.info?.version ?? "?"}`
        : "away; mail hears 451 until it is back. Start nats-server, or see POSTHORN_NATS_URL",
    },
    {
      name: "registry",
      ok: snapshot.isLoaded,
      detail: snapshot.isLoaded
        ? `${snapshot.hooks().length} hooks of ${snapshot.apps().length} apps`
        : "not loaded yet; mail hears 451 until it is. If it stays so, see the log and whether the bucket posthorn_registry exists",
    },
  ];
  if (!nats.isConnected()) return checks;
  const looks = [
    ...[STREAMS.events, STREAMS.deadLetters].map((stream) =>
      orFailed(`stream ${stream}`, () => lookAt(storage, stream)),
    ),
    orFailed("subscribers", async () => [await subscribersCheck(storage, STREAMS.events, Date.now())]),
    orFailed("permissions", async () => [await lookAtPermissions(storage)]),
  ];
  checks.push(...(await Promise.all(looks)).flat());
  if (settings.mailDomain.includes("localhost"))
    checks.push({
      name: "mail domain",
      ok: true,
      warning: true,
      detail: "localhost: set POSTHORN_MAIL_DOMAIN before relays on other machines deliver here",
    });
  return checks;
}

async function lookAt(storage: Storage, stream: string): Promise<HealthCheck[]> {
  const { jsm, nats } = storage;
  const before = Date.now();
  const info = await jsm.streams.info(stream);
  const after = Date.now();
  const facts = await streamFacts(jsm, nats.connection, info);
  if (stream !== STREAMS.events) return [fillCheck(facts)];
  const { words, advice, isPoor } = durabilityOf(
    info,
    storage.serverSyncsAlways || ownServerOf(nats.connection) !== undefined,
  );
  return [
    fillCheck(facts),
    {
      name: "durability",
      ok: true,
      ...(isPoor && { warning: true }),
      detail: advice === undefined ? words : `${words}. To do: ${advice}`,
    },
    dedupeCheck(facts),
    clockCheck({ server: info.ts === undefined ? undefined : Date.parse(info.ts), before, after }),
  ];
}

async function lookAtPermissions({ nats, snapshot }: Storage): Promise<HealthCheck> {
  const permissions = await askPermissions(nats.connection, PERMISSIONS_TIMEOUT_MS);
  return permissionsCheck(
    permissions,
    snapshot.hooks().map(({ eventName }) => eventName),
  );
}

async function orFailed(name: string, look: () => Promise<HealthCheck[]>): Promise<HealthCheck[]> {
  try {
    return await look();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // Mail goes through the streams; of the others only the looking failed.
    const isVital = name.startsWith("stream ");
    return [
      {
        name,
        ok: !isVital,
        ...(!isVital && { warning: true }),
        detail: `cannot be read: ${why}${isVital ? "; mail hears 451 4.3.5. A deleted stream is created again within seconds; else see the permissions of our NATS user" : ""}`,
      },
    ];
  }
}
