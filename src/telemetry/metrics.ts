import type { Registry } from "prom-client";

import { createCounter, createGauge, createGauges, createHistogram } from "./exposition.ts";

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
  /** What became of mails and requests so far, and how many acks came within so many seconds (cumulative). */
  activity(): { readonly outcomes: ReadonlyMap<string, number>; readonly acks: ReadonlyMap<number, number> };
  /** The exposition text and its media type. */
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
}

/**
 * The metrics of one daemon, beside those that Prometheus' client has of the process.
 *
 * Ours are counted by us. The client is loaded when the metrics are read for the first time: nobody may ever ask, and its
 * watch over the event loop wakes an idle process a hundred times a second (prom-client 15.1.3).
 */
export function createMetrics(sources: MetricSources): Metrics {
  const outcomes = createCounter("posthorn_outcomes_total", "Mails and requests by what became of them, per hook.", [
    "door",
    "outcome",
    "cause",
  ]);
  const refusals = createCounter("posthorn_refusals_total", "Answers of 4xx and 5xx, by door and code.", [
    "door",
    "answer",
  ]);
  const ack = createHistogram("posthorn_ack_seconds", "From publish to JetStream's ack.", SECONDS);
  const noAcks = createCounter(
    "posthorn_publishes_unacknowledged_total",
    "Tries to publish that ended without an ack.",
    [],
  );
  const parse = createHistogram(
    "posthorn_parse_seconds",
    "Parsing and extraction of one mail, waiting included.",
    SECONDS,
  );
  const restarts = createCounter("posthorn_worker_restarts_total", "Worker threads that were replaced.", []);
  const spans = createCounter("posthorn_spans_total", "Spans of traces, by whether the collector got them.", ["fate"]);
  const measures = [
    outcomes,
    refusals,
    ack,
    noAcks,
    parse,
    restarts,
    spans,
    createGauge("posthorn_mail_connections", "Open mail connections.", sources.connections),
    createGauges(
      "posthorn_in_flight_bytes",
      "Bytes of mails and of request bodies in memory.",
      "door",
      sources.bytesInFlight,
    ),
    createGauges("posthorn_queue_depth", "What waits for a worker, or to be published.", "queue", sources.queueDepth),
    createGauge("posthorn_nats_connected", "1 while NATS is connected.", () => Number(sources.natsConnected())),
    createGauge("posthorn_registry_loaded", "1 when the registry is loaded.", () => Number(sources.registryLoaded())),
  ];
  let ofProcess: Promise<Registry> | undefined;
  return {
    countOutcome: (door, outcome, cause) => outcomes.add({ door, outcome, cause }),
    countRefusal: (door, answer) => refusals.add({ door, answer }),
    observeAck: (milliseconds) => ack.observe(milliseconds / 1_000),
    countNoAck: () => noAcks.add({}),
    observeParse: (milliseconds) => parse.observe(milliseconds / 1_000),
    countPoolRestart: () => restarts.add({}),
    countSpans: (fate, count) => spans.add({ fate }, count),
    activity: () => {
      const byOutcome = new Map<string, number>();
      for (const [{ outcome }, count] of outcomes.series())
        byOutcome.set(outcome, (byOutcome.get(outcome) ?? 0) + count);
      return { outcomes: byOutcome, acks: ack.cumulative() };
    },
    text: async () => {
      const registry = await (ofProcess ??= processMetrics());
      const ours = measures.map((measure) => measure.text()).join("\n");
      return { body: `${ours}\n${await registry.metrics()}`, contentType: registry.contentType };
    },
  };
}

async function processMetrics(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import("prom-client");
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}
