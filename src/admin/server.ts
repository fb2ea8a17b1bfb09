import type { FastifyInstance } from "fastify";
import { fastify } from "fastify";

import { OperatorError } from "../model/operator-error.ts";
import { assets } from "./assets.ts";
import { guard } from "./guard.ts";
import { hooksPage } from "./pages/hooks.ts";
import { probes } from "./probes.ts";
import { sendHtml, sendProblem } from "./replies.ts";
import type { AdminServices } from "./services.ts";

export interface AdminOptions {
  readonly token: string;
  readonly adminUrl: string | undefined;
}

const BODY_BYTES = 2 * 1024 * 1024;
const REQUEST_MS = 30_000;

// Only our own files, no inline script or style, nothing from elsewhere, and no page of ours in somebody's frame.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** The admin listener: probes, metrics, page and API. The caller listens and closes. */
export function createAdminServer(services: AdminServices, options: AdminOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    return503OnClosing: false,
  });
  server.addHook("onSend", async (_request, reply) => {
    reply.headers({
      "Content-Security-Policy": reply.getHeader("Content-Security-Policy") ?? POLICY,
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      // Not no-referrer: a browser would then post forms with `Origin: null`.
      "Referrer-Policy": "same-origin",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Cache-Control": reply.getHeader("Cache-Control") ?? "no-store",
    });
  });
  readForms(server);
  guard(server, { ...options, now: services.now, log: services.log });
  server.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, "Not found", "There is nothing here."));
  server.setErrorHandler((error, request, reply) => {
    if (error instanceof OperatorError) return sendProblem(reply, 409, error.message, error.hint);
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) return sendProblem(reply, status, "Bad request", error instanceof Error ? error.message : "");
    services.log.error("The admin page failed", { path: request.routeOptions.url, error });
    return sendProblem(reply, 500, "Something went wrong here", "The log says more.");
  });
  assets(server);
  probes(server, services);
  server.get("/", async (request, reply) =>
    sendHtml(reply, hooksPage({ person: request.person, current: "/" }, services.apps(), services.hooks())),
  );
  return server;
}

/** Posts of plain HTML forms, as `URLSearchParams`. */
function readForms(server: FastifyInstance): void {
  server.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
}
