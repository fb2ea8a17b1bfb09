import type { Hook } from "../../model/hook.ts";
import type { Call } from "./call.ts";
import { refuse, send } from "./call.ts";
import { corsHeaders, isOriginAllowed, isPreflight, preflightHeaders } from "./cors.ts";
import type { HandleOptions } from "./handle.ts";
import { PAGE_HEADERS, explainPage, thanksPage } from "./pages.ts";
import { rateRefusal } from "./rate.ts";
import { redirectOf } from "./redirect.ts";
import type { HttpDoorServices, Refusal } from "./services.ts";
import { isStored, noteUnheard, sendStored } from "./stored.ts";
import { takeBody } from "./take-body.ts";

const ALLOW = { allow: "GET, HEAD, POST, OPTIONS" } as const;
/** The page is for browsers: who asks for no HTML is not told to read what is not there for it. */
const ALLOW_WITHOUT_PAGE = { allow: "POST, OPTIONS" } as const;

/** A request for a form hook: from a browser that shows its answer, from a page's script, or from any other program. */
export async function handleForm(
  call: Call,
  hook: Hook,
  page: string,
  services: HttpDoorServices,
  options: HandleOptions,
): Promise<void> {
  const { headers } = call.request;
  const no = (refusal: Refusal, more = {}) => refuse(call, refusal, services.onRefusal, more);
  const isAllowed = isOriginAllowed(hook.options, headers);
  Object.assign(call.extra, corsHeaders(hook.options, headers));
  if (call.method === "OPTIONS") {
    if (!isPreflight(call.method, headers)) return send(call, 204, ALLOW, "");
    if (!isAllowed) return no({ kind: "refused", cause: "origin-not-allowed" });
    return send(call, 204, preflightHeaders(headers), "");
  }
  const isRead = call.method === "GET" || call.method === "HEAD";
  if (isRead && page === "thanks") return send(call, 200, PAGE_HEADERS, thanksPage(call.language ?? "en"));
  const isPage = isRead && call.language !== undefined;
  if (!isPage && (call.method !== "POST" || page !== ""))
    return no({ kind: "refused", cause: "wrong-method" }, ALLOW_WITHOUT_PAGE);
  if (hook.state === "disabled") return no({ kind: "refused", cause: "hook-disabled" });
  if (call.language !== undefined && isRead) return send(call, 200, PAGE_HEADERS, explainPage(call.language));
  if (hook.state === "paused") return no({ kind: "tryLater", cause: "hook-paused" });
  if (!isAllowed) return no({ kind: "refused", cause: "origin-not-allowed" });
  const limited = rateRefusal(call, hook, services);
  if (limited !== undefined) return no(limited.refusal, limited.headers);
  const taken = await takeBody(call, hook, services, options, { isRawNeeded: false });
  if (taken === undefined) return;
  const { outcome, next } = taken;
  if (!isStored(outcome)) return no(outcome);
  noteUnheard(call, outcome, services.onUnheard);
  if (call.language === undefined) return sendStored(call, outcome);
  const location = redirectOf(hook.options, next, options.publicUrl) ?? thanksPath(call);
  send(call, 303, { location, vary: "Accept, Accept-Language" }, "");
}

/** Relative to the address that was posted to, so that it holds behind a proxy too, whatever path it adds. */
function thanksPath({ request }: Call): string {
  const [path = ""] = (request.url ?? "").split("?", 1);
  return `${path.slice(path.lastIndexOf("/") + 1)}/thanks`;
}
