import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Gauges whose value is asked for when somebody reads the metrics. */
export interface MetricSources {
  readonly connections: () => number;
  readonly bytesInFlight: () => number;
  readonly queueDepth: () => number;
  readonly natsConnected: () => boolean;
  readonly registryLoaded: () => boolean;
}

/** What is measured, named by Prometheus' conventions. No label carries an event name, an address or an id. */
export interface Metrics {
  countOutcome(door: "smtp" | "lmtp" | "http", outcome: string, cause: string): void;
  observeAck(milliseconds: number): void;
  observeParse(milliseconds: number): void;
  countPoolRestart(): void;
  /** The exposition text and its media type. */
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const outcomes = new Counter({
    name: "posthorn_outcomes_total",
    help: "Mails and requests by what became of them, per hook.",
    labelNames: ["door", "outcome", "cause"],
    registers,
  });
  const ack = new Histogram({
    name: "posthorn_ack_seconds",
    help: "From publish to JetStream's ack.",
    buckets: SECONDS,
    registers,
  });
  const parse = new Histogram({
    name: "posthorn_parse_seconds",
    help: "Parsing and extraction of one mail, waiting included.",
    buckets: SECONDS,
    registers,
  });
  const restarts = new Counter({
    name: "posthorn_worker_restarts_total",
    help: "Worker threads that were replaced.",
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  };
  gauge("posthorn_mail_connections", "Open mail connections.", sources.connections);
  gauge("posthorn_in_flight_bytes", "Bytes of mails in memory.", sources.bytesInFlight);
  gauge("posthorn_worker_queue_depth", "Mails that wait for a worker.", sources.queueDepth);
  gauge("posthorn_nats_connected", "1 while NATS is connected.", () => Number(sources.natsConnected()));
  gauge("posthorn_registry_loaded", "1 when the registry is loaded.", () => Number(sources.registryLoaded()));
  return {
    countOutcome: (door, outcome, cause) => outcomes.inc({ door, outcome, cause }),
    observeAck: (milliseconds) => ack.observe(milliseconds / 1_000),
    observeParse: (milliseconds) => parse.observe(milliseconds / 1_000),
    countPoolRestart: () => restarts.inc(),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}
