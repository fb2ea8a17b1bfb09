import type { IncomingMessage, Server, ServerResponse } from "node:http";

import type { FastifyInstance } from "fastify";

import { ambiguityOf } from "../lib/http-framing.ts";
import type { Listening } from "../lib/listen-http.ts";
import { createHttpServer, listenHttp } from "../lib/listen-http.ts";
import type { Log } from "../telemetry/log.ts";
import type { Probes } from "./probes.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export interface AdminListenerParts {
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly probes: Probes;
  /** Makes page and API, on top of the server that listens already. Called at the first request for them. */
  readonly load: (server: Server) => Promise<FastifyInstance>;
  readonly log: Log;
}

const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 72_000;

/**
 * Opens the admin listener; throws what `listen` throws. Page and API are loaded when somebody asks for them: most
 * Posthorns run for weeks without, and they are a quarter of the start and of the memory.
 */
export async function openAdminListener({ at, probes, load, log }: AdminListenerParts): Promise<Listening> {
  let loading: Promise<FastifyInstance> | undefined;
  const loaded = () =>
    (loading ??= load(server).then(async (app) => {
      await app.ready();
      return app;
    }));
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const ambiguity = ambiguityOf(request);
    if (ambiguity !== undefined)
      return void response
        .writeHead(400, { ...SECURITY_HEADERS, "Content-Type": "text/plain; charset=utf-8", Connection: "close" })
        .end(`${ambiguity}.\n`);
    if (!(await probes(request, response))) (await loaded()).routing(request, response);
  };
  const server = createHttpServer(
    { requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      handle(request, response).catch((error: unknown) => {
        log.error("The admin page could not be loaded", { error });
        loading = undefined;
        response.writeHead(500, SECURITY_HEADERS).end();
      });
    },
  );
  const listening = await listenHttp(server, at);
  return {
    port: listening.port,
    close: async () => {
      // Bulk work ends first. What could not be loaded needs no end.
      await loading?.then(
        (app) => app.close(),
        () => undefined,
      );
      const closed = listening.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
