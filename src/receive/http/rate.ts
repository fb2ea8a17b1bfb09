import type { OutgoingHttpHeaders } from "node:http";

import type { Hook } from "../../model/hook.ts";
import type { Call } from "./call.ts";
import { rateHeaders } from "./rate-headers.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";

/** Counts a request for its hook's limits, which every answer from here on tells; what to say when one is reached. */
export function rateRefusal(
  call: Call,
  hook: Hook,
  services: HttpDoorServices,
): { readonly refusal: Refusal; readonly headers: OutgoingHttpHeaders } | undefined {
  if (hook.options.rateLimit === undefined) return undefined;
  const verdicts = services.countRate(hook, call.remoteAddress);
  Object.assign(call.extra, rateHeaders(verdicts));
  const passed = verdicts.filter(({ isWithin }) => !isWithin);
  if (passed.length === 0) return undefined;
  const seconds = Math.max(...passed.map(({ resetSeconds }) => resetSeconds));
  return { refusal: { kind: "tryLater", cause: "rate-limited" }, headers: { "retry-after": String(seconds) } };
}
