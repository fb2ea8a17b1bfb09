import { randomBytes } from "node:crypto";

/** Where a span stands: in which trace, under which id, and whether anybody records it. Ids are hex. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/**
 * A new trace that nobody records: version 00, random ids, sampled flag off.
 *
 * Source: W3C Trace Context, §3.2.
 */
export function newTraceparent(random: Uint8Array): string {
  const hex = Buffer.from(random.buffer, random.byteOffset, random.byteLength).toString("hex");
  return traceparentOf({ traceId: hex.slice(0, 32), spanId: hex.slice(32, 48), isSampled: false });
}

/** The id of a trace that goes on with nobody's. */
export function newTraceId(): string {
  return randomBytes(16).toString("hex");
}

/** The traceparent that a sender brought, when it is one. */
export function parseTraceparent(text: string | undefined): string | undefined {
  return text !== undefined && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(text)
    ? text
    : undefined;
}

/** What a valid traceparent says. */
export function spanContextOf(traceparent: string): SpanContext {
  const [, traceId = "", spanId = "", flags = ""] = traceparent.split("-");
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, isSampled }: SpanContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
