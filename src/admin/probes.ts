import type { IncomingMessage, ServerResponse } from "node:http";

import { SECURITY_HEADERS } from "./security-headers.ts";
import type { AdminServices } from "./services.ts";

/** What the probes look at. */
export type ProbeServices = Pick<AdminServices, "checkHealth" | "isServing" | "now">;

/** Answers a request, unless it is for somebody else: then it does nothing and says `false`. */
export type Probes = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

const FRESH_MS = 1_000;

/**
 * `/livez`: the process answers. `/readyz`: the registry is loaded and NATS and the streams are there, with each check and
 * the durability in words; 503 when one is not, and from the moment the daemon begins to stop.
 *
 * They need no page and no sign-in, so that an orchestrator's first question does not wait until those are loaded.
 */
export function createProbes({ checkHealth, isServing, now }: ProbeServices): Probes {
  // Anybody may ask, as often as anybody likes; NATS is asked once a second at most.
  let looked: { readonly at: number; readonly checks: ReturnType<AdminServices["checkHealth"]> } | undefined;
  return async (request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    if (path === "/livez") {
      send(request, response, { status: 200, type: "text/plain; charset=utf-8", body: "alive\n" });
      return true;
    }
    if (path !== "/readyz") return false;
    const askedAt = now();
    if (looked === undefined || askedAt - looked.at > FRESH_MS) looked = { at: askedAt, checks: checkHealth() };
    const checks = await looked.checks;
    const ready = isServing() && checks.every(({ ok }) => ok);
    const body = JSON.stringify({ ready, ...(!isServing() && { stopping: true }), checks });
    send(request, response, { status: ready ? 200 : 503, type: "application/json; charset=utf-8", body });
    return true;
  };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body }: { readonly status: number; readonly type: string; readonly body: string },
): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(request.method === "HEAD" ? "" : body);
}
