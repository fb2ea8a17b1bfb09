import { randomBytes } from "node:crypto";

import type { EndedSpan, SpanAttributes, SpanKind } from "./otlp-json.ts";
import { spanContextOf, traceparentOf } from "./trace-context.ts";

/** A piece of work that takes its time, and what it consists of. */
export interface Span {
  /** What those carry on who go on with it. */
  readonly traceparent: string;
  child(name: string, kind?: SpanKind): Span;
  /** Only the first end counts. */
  end(attributes?: SpanAttributes, hasFailed?: boolean): void;
}

export interface Tracer {
  /** The first span of our own; it goes on with the trace that the sender brought. `startMs` is since the epoch. */
  start(name: string, options: { readonly startMs: number; readonly continued?: string | undefined }): Span;
}

/** Hands each span that has ended to `onEnd`; those of a trace that its sender does not record are left out. */
export function createTracer(onEnd: (span: EndedSpan) => void): Tracer {
  return {
    start: (name, { startMs, continued }) => {
      const parent = continued === undefined ? undefined : spanContextOf(continued);
      const trace = { traceId: parent?.traceId ?? randomId(16), isSampled: parent?.isSampled ?? true };
      // One clock for the whole trace: steps of the wall clock would put children before their parents.
      const anchorMs = Date.now() - performance.now();
      const to = { onEnd, nowMs: () => anchorMs + performance.now() };
      return startSpan({ ...trace, name, kind: "server", parentSpanId: parent?.spanId, startMs }, to);
    },
  };
}

interface Started extends Pick<EndedSpan, "traceId" | "parentSpanId" | "name" | "kind" | "startMs"> {
  readonly isSampled: boolean;
}

function startSpan(
  { isSampled, ...started }: Started,
  to: { readonly onEnd: (span: EndedSpan) => void; readonly nowMs: () => number },
): Span {
  const { traceId } = started;
  const spanId = randomId(8);
  let hasEnded = false;
  return {
    traceparent: traceparentOf({ traceId, spanId, isSampled }),
    child: (name, kind = "internal") =>
      startSpan({ traceId, isSampled, name, kind, parentSpanId: spanId, startMs: to.nowMs() }, to),
    end: (attributes = {}, hasFailed = false) => {
      if (hasEnded) return;
      hasEnded = true;
      if (isSampled) to.onEnd({ ...started, spanId, endMs: to.nowMs(), attributes, hasFailed });
    },
  };
}

const randomId = (bytes: number) => randomBytes(bytes).toString("hex");
