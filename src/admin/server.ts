import type { Server } from "node:http";

import type { FastifyInstance } from "fastify";
import { fastify } from "fastify";

import { OperatorError } from "../model/operator-error.ts";
import { api } from "./api/api.ts";
import { assets } from "./assets.ts";
import { guard } from "./guard.ts";
import { readForms } from "./forms.ts";
import { frameOf } from "./frame.ts";
import { failurePage, notFoundPage } from "./pages/not-found.ts";
import type { OidcOptions } from "./oidc.ts";
import { OidcSignIn } from "./oidc.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { Sessions } from "./session.ts";
import { Signed } from "./signed.ts";
import { isForPeople, sendHtml, sendProblem } from "./replies.ts";
import { Jobs } from "./jobs.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { benchRoutes } from "./routes/bench.ts";
import { houseRoutes } from "./routes/house.ts";
import { eventRoutes } from "./routes/events.ts";
import { openApiRoute } from "./routes/open-api.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";
import type { AdminServices, StorageTrouble } from "./services.ts";

export interface AdminOptions {
  readonly token: string;
  /** The address that administrators type, when it is neither an IP address nor localhost. */
  readonly adminUrl: string | undefined;
  readonly oidc: OidcOptions | undefined;
}

const BODY_BYTES = 2 * 1024 * 1024;
/** What bulk work may still take at the end; the daemon stops within ten seconds. */
const JOB_GRACE_MS = 2_000;
/** An election takes a few seconds. */
const RETRY_AFTER_S = 5;
/** What a page may say otherwise than all. */
const REPLACEABLE = ["Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Cache-Control"] as const;

/** Metrics, page and API, on top of a server that is the caller's: it passes requests on to `routing`, and closes both. */
export function createAdminServer(services: AdminServices, options: AdminOptions, listener: Server): FastifyInstance {
  const server = fastify({ bodyLimit: BODY_BYTES, return503OnClosing: false, serverFactory: () => listener });
  server.addHook("onSend", async (_request, reply) => {
    reply.headers({
      ...SECURITY_HEADERS,
      ...Object.fromEntries(
        REPLACEABLE.filter((name) => reply.hasHeader(name)).map((name) => [name, reply.getHeader(name)]),
      ),
    });
  });
  readForms(server);
  const sessions = new Sessions(options.token);
  const provider =
    options.oidc === undefined || options.adminUrl === undefined
      ? undefined
      : new OidcSignIn(options.oidc, options.adminUrl);
  const { adminUrl, token } = options;
  const { now, log, isHookId } = services;
  guard(server, sessions, { adminUrl, hasProvider: provider !== undefined, now, log, isHookId });
  signInRoutes(server, { sessions, provider, adminUrl, signed: new Signed(token, "admin sign-in"), services });
  server.setNotFoundHandler((request, reply) =>
    isForPeople(request)
      ? sendHtml(reply.code(404), notFoundPage(frameOf(request), "There is nothing here."))
      : sendProblem(reply, 404, "Not found", "There is nothing here."),
  );
  server.setErrorHandler((error, request, reply) => {
    const { status, title, detail } = told(error, services.storageTrouble(error));
    if (status === 500) services.log.error("The admin page failed", { path: request.routeOptions.url, error });
    else if (status > 500) {
      services.log.warn("Storage was away when the admin page or API needed it", {
        path: request.routeOptions.url,
        error,
      });
      reply.header("Retry-After", RETRY_AFTER_S);
    }
    return isForPeople(request)
      ? sendHtml(reply.code(status), failurePage(frameOf(request), title, detail))
      : sendProblem(reply, status, title, detail);
  });
  assets(server);
  server.get("/metrics", { config: { role: "viewer" } }, async (_request, reply) => {
    const { body, contentType } = await services.metricsText();
    return reply.type(contentType).send(body);
  });
  hookRoutes(server, services, services.now);
  eventRoutes(server, services);
  const jobs = new Jobs(services.log);
  server.addHook("preClose", () => jobs.close(JOB_GRACE_MS));
  deadLetterRoutes(server, services, jobs);
  benchRoutes(server, services);
  api(server, services);
  openApiRoute(server, services);
  houseRoutes(server, services);
  return server;
}

/** What somebody is told of an error: an operator's mistake whole, a fault of ours not at all. */
function told(
  error: unknown,
  trouble: StorageTrouble | undefined,
): { readonly status: number; readonly title: string; readonly detail: string } {
  if (error instanceof OperatorError) return { status: 409, title: error.message, detail: error.hint };
  if (trouble?.kind === "away")
    return {
      status: 503,
      title: "Storage unavailable, try again later",
      detail: "NATS did not answer. If you changed something, see whether it was changed before you try again.",
    };
  if (trouble?.kind === "full")
    return { status: 507, title: "Storage full", detail: "See the health page for which stream is full." };
  if (trouble?.kind === "setting") return { status: 409, title: trouble.problem, detail: trouble.hint };
  const { statusCode = 500, message = "" } = error as { statusCode?: number; message?: string };
  return statusCode < 500
    ? { status: statusCode, title: "The request was not understood", detail: message }
    : { status: 500, title: "Something went wrong here", detail: "The log of Posthorn says more." };
}
