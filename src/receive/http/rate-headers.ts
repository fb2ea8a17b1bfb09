import type { OutgoingHttpHeaders } from "node:http";

/** What a limit said of one request. */
export interface RateVerdict {
  readonly isWithin: boolean;
  /** Which limit it was: of the hook, or of the sender's address. */
  readonly name: "hook" | "address";
  readonly perMinute: number;
  readonly remaining: number;
  /** Until there is room again, in seconds. */
  readonly resetSeconds: number;
}

/**
 * `RateLimit-Policy: "hook";q=60;w=60` and `RateLimit: "hook";r=59;t=12`.
 *
 * Source: draft-ietf-httpapi-ratelimit-headers-10 §3, §4.
 */
export function rateHeaders(verdicts: readonly RateVerdict[]): OutgoingHttpHeaders {
  if (verdicts.length === 0) return {};
  return {
    "ratelimit-policy": verdicts.map(({ name, perMinute }) => `"${name}";q=${perMinute};w=60`).join(", "),
    ratelimit: verdicts
      .map(({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`)
      .join(", "),
  };
}
