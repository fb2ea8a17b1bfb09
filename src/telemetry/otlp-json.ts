/** One span that has ended. Times are milliseconds since the epoch, with fractions. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly hasFailed: boolean;
}

export type SpanKind = "internal" | "server" | "producer";
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Source: opentelemetry-proto 1.x, trace/v1/trace.proto, `Span.SpanKind` and `Status.StatusCode`. */
const KINDS = { internal: 1, server: 2, producer: 4 } as const satisfies Record<SpanKind, number>;
const STATUS_ERROR = 2;

/**
 * A batch of spans as the body of `POST /v1/traces`.
 *
 * Source: OTLP specification 1.x, "OTLP/HTTP, JSON Protobuf Encoding": ids are hex, 64-bit numbers are strings.
 */
export function otlpJson(spans: readonly EndedSpan[], resource: SpanAttributes): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: "posthorn" }, spans: spans.map(spanOf) }],
      },
    ],
  });
}

function spanOf(span: EndedSpan): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanosOf(span.startMs),
    endTimeUnixNano: nanosOf(span.endMs),
    attributes: attributesOf(span.attributes),
    status: span.hasFailed ? { code: STATUS_ERROR } : {},
  };
}

/** Microseconds still fit into a double; nanoseconds since 1970 do not. */
const nanosOf = (ms: number) => `${Math.round(ms * 1_000)}000`;

function attributesOf(attributes: SpanAttributes): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
