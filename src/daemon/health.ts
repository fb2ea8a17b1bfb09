import type { Settings } from "../config/settings.ts";
import { within } from "../lib/within.ts";
import { askAgain } from "../nats/ask-again.ts";
import { ownServerOf } from "../nats/own-server.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { streamFacts } from "../nats/stream-facts.ts";
import { clockCheck } from "./health-clock.ts";
import { permissionsCheck } from "./health-permissions.ts";
import { differencesCheck } from "./health-plans.ts";
import { dedupeCheck, durabilityCheck, fillCheck } from "./health-stream.ts";
import { subscribersCheck } from "./health-subscribers.ts";
import { connectionChecks } from "./readiness.ts";
import type { Storage } from "./storage.ts";

/** One thing that was looked at, and what it means. */
export interface HealthCheck {
  readonly name: string;
  /** False: mail or calls are not taken, or not kept, while it lasts. */
  readonly ok: boolean;
  /** Works, and somebody should look at it. */
  readonly warning?: true;
  /** What was found, and what to do about it. */
  readonly detail: string;
}

/** No look takes longer: in a cluster that has lost a server some questions are never answered. */
const LOOK_MS = 8_000;

/** Looks at NATS, the streams and the registry. Never throws: what cannot be looked at is a failed check. */
export async function checkHealth(storage: Storage, settings: Settings): Promise<HealthCheck[]> {
  const checks = connectionChecks(storage, 0);
  if (!storage.nats.isConnected()) return checks;
  const looks = [
    ...[STREAMS.events, STREAMS.deadLetters].map((stream) => looked(`stream ${stream}`, () => lookAt(storage, stream))),
    looked("stream settings", async () => [await differencesCheck(storage, settings)]),
    looked("subscribers", async () => [await subscribersCheck(storage, STREAMS.events, Date.now())]),
    looked("permissions", async () => [await permissionsCheck(storage, settings)]),
  ];
  return [...checks, ...(await Promise.all(looks)).flat()];
}

async function lookAt(storage: Storage, stream: string): Promise<HealthCheck[]> {
  const { jsm, nats } = storage;
  let before = 0;
  const info = await askAgain(() => {
    before = Date.now();
    return jsm.streams.info(stream);
  });
  const after = Date.now();
  const facts = await streamFacts(jsm, nats.connection, info);
  if (stream !== STREAMS.events) return [fillCheck(facts)];
  return [
    fillCheck(facts),
    durabilityCheck(info, storage.serverSyncsAlways || ownServerOf(nats.connection) !== undefined),
    dedupeCheck(facts),
    clockCheck({ server: info.ts === undefined ? undefined : Date.parse(info.ts), before, after }),
  ];
}

/** What a look found; a failed check when it ended otherwise. Never throws. */
export async function looked(name: string, look: () => Promise<HealthCheck[]>): Promise<HealthCheck[]> {
  // Mail goes through the streams; of the others only the looking failed.
  const isVital = name.startsWith("stream POSTHORN_");
  const failed = (why: string): HealthCheck => ({
    name,
    ok: !isVital,
    ...(!isVital && { warning: true }),
    detail: `cannot be read: ${why}${isVital ? "; mail gets 451 4.3.5. A deleted stream is created again within seconds while the daemon runs; else see the permissions of our NATS user" : ""}`,
  });
  try {
    return (await within(look(), LOOK_MS)) ?? [failed(`no answer within ${LOOK_MS / 1_000} s`)];
  } catch (error) {
    return [failed(error instanceof Error ? error.message : String(error))];
  }
}
