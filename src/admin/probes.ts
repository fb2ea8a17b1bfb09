import type { IncomingMessage, ServerResponse } from "node:http";

import { SECURITY_HEADERS } from "./security-headers.ts";
import type { AdminCheck, AdminServices } from "./services.ts";

/** What the probes look at. */
export interface ProbeServices extends Pick<AdminServices, "isServing"> {
  /** Whether mail can be taken now, from what is already known: nothing is asked, so no probe waits. */
  readonly checkReadiness: () => readonly AdminCheck[];
}

/** Answers a request, unless it is for somebody else: then it does nothing and says `false`. */
export type Probes = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/**
 * `/livez`: the process answers. `/readyz`: the registry is loaded, NATS is connected, the event stream has a leader and no
 * publish failed a moment ago, with each check and the durability in words; 503 when one is not so, and from the moment the
 * daemon begins to stop.
 *
 * They need no page and no sign-in, so that an orchestrator's first question does not wait until those are loaded.
 */
export function createProbes({ checkReadiness, isServing }: ProbeServices): Probes {
  return async (request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    if (path === "/livez") {
      send(request, response, { status: 200, type: "text/plain; charset=utf-8", body: "alive\n" });
      return true;
    }
    if (path !== "/readyz") return false;
    const checks = checkReadiness();
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
