import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Gauges whose value is asked for when somebody reads the metrics. */
export interface MetricSources {
  readonly connections: () => number;
  /** Bytes of mails and of request bodies in memory. */
  readonly bytesInFlight: () => { readonly mail: number; readonly http: number };
  /** What waits for a worker, and for a place among the publishes on their way. */
  readonly queueDepth: () => { readonly worker: number; readonly publish: number };
  readonly natsConnected: () => boolean;
  readonly registryLoaded: () => boolean;
}

type Door = "smtp" | "lmtp" | "http";

/** What is measured, named by Prometheus' conventions. No label carries an event name, an address or an id. */
export interface Metrics {
  countOutcome(door: Door, outcome: string, cause: string): void;
  /** An answer that made a sender keep or give up something: "451 4.3.0", "404". */
  countRefusal(door: Door, answer: string): void;
  observeAck(milliseconds: number): void;
  /** A try to publish that ended without an ack although the connection stood. */
  countNoAck(): void;
  observeParse(milliseconds: number): void;
  countPoolRestart(): void;
  countSpans(fate: "sent" | "dropped", spans: number): void;
  /** The exposition text and its media type. */
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
}

/** The metrics of one daemon, beside those that Prometheus' client has of the process. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter<Label>({ name, help, labelNames, registers });
  const seconds = (name: string, help: string) => new Histogram({ name, help, buckets: SECONDS, registers });
  const gauge = (name: string, help: string, read: () => number) => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  };
  const gauges = <Key extends string>(name: string, help: string, label: string, read: () => Record<Key, number>) => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect: () => {
        for (const [key, value] of Object.entries<number>(read())) made.set({ [label]: key }, value);
      },
    });
  };

  const outcomes = counter(
    "posthorn_outcomes_total",
    "Mails and requests by what became of them, per hook.",
    "door",
    "outcome",
    "cause",
  );
  const refusals = counter("posthorn_refusals_total", "Answers of 4xx and 5xx, by door and code.", "door", "answer");
  const ack = seconds("posthorn_ack_seconds", "From publish to JetStream's ack.");
  const noAcks = counter("posthorn_publishes_unacknowledged_total", "Tries to publish that ended without an ack.");
  const parse = seconds("posthorn_parse_seconds", "Parsing and extraction of one mail, waiting included.");
  const restarts = counter("posthorn_worker_restarts_total", "Worker threads that were replaced.");
  const spans = counter("posthorn_spans_total", "Spans of traces, by whether the collector got them.", "fate");
  gauge("posthorn_mail_connections", "Open mail connections.", sources.connections);
  gauges("posthorn_in_flight_bytes", "Bytes of mails and of request bodies in memory.", "door", sources.bytesInFlight);
  gauges("posthorn_queue_depth", "What waits for a worker, or to be published.", "queue", sources.queueDepth);
  gauge("posthorn_nats_connected", "1 while NATS is connected.", () => Number(sources.natsConnected()));
  gauge("posthorn_registry_loaded", "1 when the registry is loaded.", () => Number(sources.registryLoaded()));
  return {
    countOutcome: (door, outcome, cause) => outcomes.inc({ door, outcome, cause }),
    countRefusal: (door, answer) => refusals.inc({ door, answer }),
    observeAck: (milliseconds) => ack.observe(milliseconds / 1_000),
    countNoAck: () => noAcks.inc(),
    observeParse: (milliseconds) => parse.observe(milliseconds / 1_000),
    countPoolRestart: () => restarts.inc(),
    countSpans: (fate, count) => spans.inc({ fate }, count),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}
