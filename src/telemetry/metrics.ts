import { createBoundedNames } from "./bounded-names.ts";
import { createCounter, createGauge, createGauges, createHistogram, createInfo } from "./exposition.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Event names that are told apart; a series for each of very many would be too much for whoever reads them. */
const MAX_HOOKS = 500;
/** The media type of the text format, version 0.0.4. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Values that are asked for when somebody reads the metrics. */
export interface MetricSources {
  readonly version: string;
  readonly connections: () => number;
  /** Bytes of mails and of request bodies in memory. */
  readonly bytesInFlight: () => { readonly mail: number; readonly http: number };
  /** What waits for a worker, and for a place among the publishes on their way. */
  readonly queueDepth: () => { readonly worker: number; readonly publish: number };
  readonly natsConnected: () => boolean;
  readonly registryLoaded: () => boolean;
  /** Days until each stream is full at the rate of the last hour, Infinity for never; without those that are not known. */
  readonly daysUntilFull: () => Promise<Readonly<Record<string, number>>>;
  /** When the certificate of the mail listeners ends, milliseconds since the epoch; undefined without one. */
  readonly certificateEndsAt: () => number | undefined;
  readonly now: () => number;
}

type MetricDoor = "smtp" | "lmtp" | "http";

/** What is measured, named by Prometheus' conventions. The label `hook` is an event name; none carries an address or an id. */
export interface Metrics {
  /** What became of a mail or request for one hook. */
  countOutcome(what: {
    readonly door: MetricDoor;
    readonly hook: string;
    readonly outcome: string;
    readonly cause: string;
  }): void;
  /** An answer that made a sender keep or give up something ("451 4.3.0", "404"), and why; `hook` is "" where none was found. */
  countRefusal(what: {
    readonly door: MetricDoor;
    readonly hook: string;
    readonly answer: string;
    readonly cause: string;
  }): void;
  /** From the end of a mail, or the begin of a request, to its answer. */
  observeDelivery(what: { readonly door: MetricDoor; readonly hook: string }, milliseconds: number): void;
  observeAck(milliseconds: number): void;
  /** A try to publish that ended without an ack although the connection stood. */
  countNoAck(): void;
  /** Something that was not stored although it was tried, by its stream and the cause. */
  countStoreFailure(stream: string, cause: string): void;
  observeParse(milliseconds: number): void;
  countPoolRestart(): void;
  countSpans(fate: "sent" | "dropped", spans: number): void;
  /** What became of mails and requests so far, and how many acks came within so many seconds (cumulative). */
  activity(): { readonly outcomes: ReadonlyMap<string, number>; readonly acks: ReadonlyMap<number, number> };
  /** The exposition text and its media type. */
  text(): Promise<{ readonly body: string; readonly contentType: string }>;
}

/** The metrics of one daemon, beside those of the process, which are made when somebody reads them for the first time. */
export function createMetrics(sources: MetricSources): Metrics {
  const hookNamed = createBoundedNames(MAX_HOOKS);
  const outcomes = createCounter("posthorn_outcomes_total", "Mails and requests by what became of them, per hook.", [
    "door",
    "hook",
    "outcome",
    "cause",
  ]);
  const refusals = createCounter("posthorn_refusals_total", "Answers of 4xx and 5xx by cause, per hook.", [
    "door",
    "hook",
    "answer",
    "cause",
  ]);
  const deliveries = createHistogram(
    "posthorn_delivery_seconds",
    "From the final dot of a mail to its reply, and from the header of a request to its response, per hook.",
    SECONDS,
    ["door", "hook"],
  );
  const ack = createHistogram("posthorn_ack_seconds", "From publish to JetStream's ack.", SECONDS);
  const noAcks = createCounter(
    "posthorn_publishes_unacknowledged_total",
    "Tries to publish that ended without an ack.",
    [],
  );
  const storeFailures = createCounter(
    "posthorn_store_failures_total",
    "Events, dead letters and objects that were not stored although it was tried.",
    ["stream", "cause"],
  );
  let lastFailure: { readonly cause: string; readonly at: number } | undefined;
  const parse = createHistogram(
    "posthorn_parse_seconds",
    "Parsing and extraction of one mail, waiting included.",
    SECONDS,
  );
  const restarts = createCounter("posthorn_worker_restarts_total", "Worker threads that were replaced.", []);
  const spans = createCounter("posthorn_spans_total", "Spans of traces, by whether the collector got them.", ["fate"]);
  let daysUntilFull: Readonly<Record<string, number>> = {};
  const measures = [
    createInfo("posthorn_build_info", "Version of Posthorn and of the Node that runs it.", {
      version: sources.version,
      node: process.version,
    }),
    outcomes,
    refusals,
    deliveries,
    ack,
    noAcks,
    storeFailures,
    createGauges(
      "posthorn_store_last_failure_timestamp_seconds",
      "When something was last not stored, by its cause; missing when nothing failed since the start.",
      "cause",
      () => (lastFailure === undefined ? {} : { [lastFailure.cause]: lastFailure.at }),
    ),
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
    createGauges(
      "posthorn_store_full_days",
      "Days until the stream is full at the rate of the last hour.",
      "stream",
      () => daysUntilFull,
    ),
    createGauge("posthorn_certificate_remaining_seconds", "Until the certificate of the mail listeners ends.", () => {
      const endsAt = sources.certificateEndsAt();
      return endsAt === undefined ? undefined : (endsAt - sources.now()) / 1_000;
    }),
  ];
  let ofProcess: Promise<() => Promise<string>> | undefined;
  return {
    countOutcome: (what) => outcomes.add({ ...what, hook: hookNamed(what.hook) }),
    countRefusal: (what) => refusals.add({ ...what, hook: what.hook === "" ? "" : hookNamed(what.hook) }),
    observeDelivery: ({ door, hook }, milliseconds) =>
      deliveries.observe(milliseconds / 1_000, { door, hook: hookNamed(hook) }),
    observeAck: (milliseconds) => ack.observe(milliseconds / 1_000),
    countNoAck: () => noAcks.add({}),
    countStoreFailure: (stream, cause) => {
      storeFailures.add({ stream, cause });
      lastFailure = { cause, at: Date.now() / 1_000 };
    },
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
      const [processText, days] = await Promise.all([
        (ofProcess ??= processMetrics()).then((read) => read()),
        sources.daysUntilFull(),
      ]);
      daysUntilFull = days;
      const ours = measures.map((measure) => measure.text()).join("\n");
      return { body: `${ours}\n${processText}`, contentType: CONTENT_TYPE };
    },
  };
}

/** Loaded and made when somebody reads them for the first time: nobody may ever ask. */
async function processMetrics(): Promise<() => Promise<string>> {
  const { createProcessMetrics } = await import("./process-metrics.ts");
  return createProcessMetrics();
}
