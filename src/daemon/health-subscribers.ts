import type { Storage } from "./storage.ts";
import type { HealthCheck } from "./health.ts";

const LATE_SHARE = 0.5;
const MOST_LOOKED_AT = 200;
const SHOWN = 3;
const NANOS_PER_MS = 1_000_000;
const MS_PER_MINUTE = 60_000;

interface Lag {
  readonly name: string;
  readonly waiting: number;
  /** Age of the next event that it would get, in milliseconds. */
  readonly oldestMs: number;
}

/** How far the durable subscribers are behind, and whether events will be gone before somebody has read them. */
export async function subscribersCheck({ jsm }: Storage, stream: string, now: number): Promise<HealthCheck> {
  const { config, state } = await jsm.streams.info(stream);
  const maxAgeMs = config.max_age > 0 ? config.max_age / NANOS_PER_MS : Infinity;
  const lags: Lag[] = [];
  let looked = 0;
  for await (const { name, config: of, num_pending: waiting, delivered } of jsm.consumers.list(stream)) {
    if (of.durable_name === undefined) continue;
    looked += 1;
    if (looked > MOST_LOOKED_AT) break;
    if (waiting === 0) continue;
    // Of another subject than the subscriber's it is older than what waits for it at most: said too early, not too late.
    const next = await jsm.streams.getMessage(stream, { seq: Math.max(state.first_seq, delivered.stream_seq + 1) });
    lags.push({ name, waiting, oldestMs: next === null ? 0 : Math.max(0, now - next.time.getTime()) });
  }
  const name = "subscribers";
  if (looked === 0) return { name, ok: true, detail: "none is durable: whoever is away misses what comes meanwhile" };
  if (lags.length === 0) return { name, ok: true, detail: `${looked} durable, none behind` };
  const worst = lags.toSorted((a, b) => b.oldestMs - a.oldestMs);
  const isLate = (worst[0]?.oldestMs ?? 0) > maxAgeMs * LATE_SHARE;
  const shown = worst
    .slice(0, SHOWN)
    .map((lag) => `${lag.name} ${lag.waiting} events, the oldest ${inWords(lag.oldestMs)}`);
  return {
    name,
    ok: true,
    ...(isLate && { warning: true }),
    detail: `${lags.length} of ${looked} durable ones behind: ${shown.join("; ")}${isLate ? `. Events go after ${inWords(maxAgeMs)}, read or not: start that subscriber, delete it if nobody needs it, or raise max_age of the stream` : ""}`,
  };
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / MS_PER_MINUTE);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
