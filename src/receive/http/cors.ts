import type { OutgoingHttpHeaders } from "node:http";

import type { HookOptions } from "../../model/hook-options.ts";
import type { RequestHeaders } from "../../model/request.ts";
import { headerOf } from "../../model/request.ts";

const PREFLIGHT_SECONDS = 7_200;
const TOKENS = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[\t ]*,[\t ]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;
const MAX_HEADER_NAMES = 1_000;

/** Whether a form hook takes posts from the page that sent this. A sender without an Origin is no browser's script. */
export function isOriginAllowed({ origins }: Pick<HookOptions, "origins">, headers: RequestHeaders): boolean {
  const origin = headerOf(headers, "origin");
  return origins === undefined || origin === "" || origins.includes(origin);
}

/** What lets scripts of allowed pages read the answer (Fetch §3.3). Never with credentials: a form has none. */
export function corsHeaders({ origins }: Pick<HookOptions, "origins">, headers: RequestHeaders): OutgoingHttpHeaders {
  const origin = headerOf(headers, "origin");
  const exposed = { "access-control-expose-headers": "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id" };
  if (origins === undefined) return { "access-control-allow-origin": "*", ...exposed };
  // The answer depends on who asks, also where it says nothing.
  if (!origins.includes(origin)) return { vary: "Origin" };
  return { "access-control-allow-origin": origin, vary: "Origin", ...exposed };
}

export function isPreflight(method: string, headers: RequestHeaders): boolean {
  return (
    method === "OPTIONS" && headers["origin"] !== undefined && headers["access-control-request-method"] !== undefined
  );
}

/** What a preflight asks for, granted: only POST reaches a form hook whatever is asked. */
export function preflightHeaders(headers: RequestHeaders): OutgoingHttpHeaders {
  const wanted = headerOf(headers, "access-control-request-headers");
  const isPlain = wanted.length <= MAX_HEADER_NAMES && TOKENS.test(wanted);
  return {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": isPlain ? wanted : "content-type",
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  };
}
