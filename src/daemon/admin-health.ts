import type { Activity, HealthServices, StreamFill, Subscriber } from "../admin/services.ts";
import type { Settings } from "../config/settings.ts";
import { STREAMS } from "../nats/stream-names.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { checkHealth } from "./health.ts";
import { missingHere, secretsCheck } from "./hook-secrets.ts";
import { publishingCheck } from "./readiness.ts";
import { checkSettings } from "./health-settings.ts";
import type { Storage } from "./storage.ts";

const SAMPLE_MS = 60_000;
const KEPT_SAMPLES = 61;
const NANOS_PER_MS = 1_000_000;
const MOST_SUBSCRIBERS = 200;

interface Sample {
  readonly at: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** Acks that took at most so many seconds, cumulative. */
  readonly acks: ReadonlyMap<number, number>;
}

/** The state of streams, subscribers and this replica, for the admin page. Dispose it: it looks at the metrics each minute. */
export function adminHealth({
  storage,
  settings,
  metrics,
  env,
}: {
  readonly storage: Storage;
  readonly settings: Settings;
  readonly metrics: Metrics;
  readonly env: NodeJS.ProcessEnv;
}): HealthServices & Disposable {
  const samples: Sample[] = [];
  const sample = (): Sample => ({ at: Date.now(), ...metrics.activity() });
  const look = () => {
    samples.push(sample());
    if (samples.length > KEPT_SAMPLES) samples.shift();
  };
  look();
  const timer = setInterval(look, SAMPLE_MS);
  return {
    checkHealth: async () => [
      ...(await checkHealth(storage, settings)),
      publishingCheck(storage, Date.now()),
      secretsCheck(missingHere(storage, env)),
      ...checkSettings(settings),
    ],
    streams: () => fills(storage),
    subscribers: () => subscribers(storage),
    activity: async () => activityBetween(samples[0], sample()),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function fills({ jsm }: Storage): Promise<StreamFill[]> {
  return Promise.all(
    Object.values(STREAMS).map(async (name) => {
      const { config, state } = await jsm.streams.info(name);
      return {
        name,
        messages: state.messages,
        bytes: state.bytes,
        maxBytes: config.max_bytes > 0 ? config.max_bytes : null,
        oldest: state.messages > 0 ? new Date(state.first_ts).toISOString() : null,
        maxAgeMs: config.max_age > 0 ? config.max_age / NANOS_PER_MS : null,
        ...(name === STREAMS.events && { dedupeWindowMs: config.duplicate_window / NANOS_PER_MS }),
      };
    }),
  );
}

async function subscribers({ jsm }: Storage): Promise<Subscriber[]> {
  const found: Subscriber[] = [];
  for await (const { name, config, num_pending, num_ack_pending } of jsm.consumers.list(STREAMS.events)) {
    if (config.durable_name === undefined) continue;
    const filter = config.filter_subjects?.join(" ") ?? config.filter_subject ?? ">";
    found.push({ name, waiting: num_pending, unacknowledged: num_ack_pending, filter });
    if (found.length === MOST_SUBSCRIBERS) break;
  }
  return found.sort((a, b) => b.waiting - a.waiting);
}

function activityBetween(before: Sample | undefined, now: Sample): Activity {
  const outcomes = new Map(
    [...now.outcomes].map(([outcome, count]) => [outcome, count - (before?.outcomes.get(outcome) ?? 0)]),
  );
  const acks = [...now.acks].map(([bound, count]) => [bound, count - (before?.acks.get(bound) ?? 0)] as const);
  const total = acks.at(-1)?.[1] ?? 0;
  const under = (share: number): number | null => {
    const bound = total === 0 ? undefined : acks.find(([, count]) => count >= total * share)?.[0];
    return bound === undefined ? null : bound * 1_000;
  };
  return { sinceMs: now.at - (before?.at ?? now.at), outcomes, ackP50Ms: under(0.5), ackP95Ms: under(0.95) };
}
