import { randomBytes } from "node:crypto";

import type { Settings } from "../config/settings.ts";
import type { Outcome, RequestOutcome } from "../model/outcome.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import type { PublishOutcome } from "../publish/publish-event.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { SpanAttributes } from "../telemetry/otlp-json.ts";
import { traceparentOf } from "../telemetry/trace-context.ts";
import { SpanExport } from "../telemetry/span-export.ts";
import type { Span, Tracer } from "../telemetry/tracer.ts";
import { createTracer } from "../telemetry/tracer.ts";

/** A tracer whose spans go to OTEL_EXPORTER_OTLP_ENDPOINT; undefined, and nothing is recorded, when that is not set. */
export function openTracing(
  { otlpEndpoint, otlpHeaders }: Settings,
  metrics: Metrics,
  log: Log,
): (AsyncDisposable & { readonly tracer: Tracer }) | undefined {
  const endpoint = otlpEndpoint.value;
  if (endpoint === undefined) return undefined;
  const spans = new SpanExport({
    endpoint,
    headers: otlpHeaders,
    resource: { "service.name": "posthorn" },
    onFate: (fate, count) => metrics.countSpans(fate, count),
    onTrouble: (error) =>
      log.warn("Traces do not reach their collector; mail goes on without them", { endpoint, error }),
    onRecovery: () => log.info("Traces reach their collector again", { endpoint }),
  });
  return { tracer: createTracer((span) => spans.add(span)), [Symbol.asyncDispose]: () => spans[Symbol.asyncDispose]() };
}

/** `stages` whose events all belong to one trace, which nobody records. */
export function inTrace(stages: MailStages, traceId: string): MailStages {
  return {
    ...stages,
    newTraceparent: () => traceparentOf({ traceId, spanId: randomBytes(8).toString("hex"), isSampled: false }),
  };
}

type PublishStages = Pick<MailStages, "newTraceparent" | "publishEvent" | "publishDeadLetter">;

/** `stages`, with a span below `span` for each event and dead letter; the event's `traceparent` names its own. */
export function tracedPublishing<S extends PublishStages>(stages: S, span: Span): S {
  const begun = new Map<string, Span>();
  const publish = () => span.child("publish", "producer");
  return {
    ...stages,
    newTraceparent: () => {
      const own = publish();
      begun.set(own.traceparent, own);
      return own.traceparent;
    },
    publishEvent: async (event, signal) => {
      const own = begun.get(event.traceparent) ?? publish();
      const published = await stages.publishEvent(event, signal);
      endPublish(own, event.hook.eventName, published);
      return published;
    },
    publishDeadLetter: async (letter, signal) => {
      const own = publish();
      const published = await stages.publishDeadLetter(letter, signal);
      endPublish(own, `posthorn.dead.${letter.app}.${letter.eventName}`, published);
      return published;
    },
  };
}

/** As {@link tracedPublishing}, with a span for parsing and extraction. */
export function tracedMail(stages: MailStages, span: Span): MailStages {
  return {
    ...tracedPublishing(stages, span),
    plan: async (job, signal) => {
      const own = span.child("parse");
      const answer = await stages.plan(job, signal);
      own.end({ "posthorn.bytes": job.bytes.length, "posthorn.result": answer.kind }, answer.kind !== "planned");
      return answer;
    },
  };
}

/** Ends the span of a whole mail or request: it has failed when the sender has to come again. */
export function endWithOutcomes(
  span: Span,
  outcomes: readonly (Outcome | RequestOutcome)[],
  attributes: SpanAttributes,
): void {
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].join(" ");
  span.end(
    { ...attributes, "posthorn.outcome": kinds },
    outcomes.some(({ kind }) => kind === "tryLater"),
  );
}

/** Source: OpenTelemetry semantic conventions, "Messaging spans". */
function endPublish(span: Span, natsSubject: string, { outcome }: PublishOutcome): void {
  span.end(
    {
      "messaging.system": "nats",
      "messaging.operation.type": "send",
      "messaging.destination.name": natsSubject,
      ...("eventId" in outcome && { "messaging.message.id": outcome.eventId }),
      ...(outcome.kind === "stored" && { "posthorn.duplicate": outcome.duplicate }),
    },
    outcome.kind === "tryLater",
  );
}
