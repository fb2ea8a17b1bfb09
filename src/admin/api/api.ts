import type { FastifyInstance } from "fastify";

import type { AdminServices } from "../services.ts";
import { addCalls } from "./call.ts";
import { changeCalls } from "./change-calls.ts";
import { openApi } from "./open-api.ts";
import { readCalls } from "./read-calls.ts";

/** The HTTP API, and its own description at `/api/v1/openapi.json`. */
export function api(server: FastifyInstance, services: AdminServices): void {
  server.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  const calls = [...readCalls(services), ...changeCalls(services)];
  addCalls(server, calls);
  const description = openApi(calls);
  addCalls(server, [
    {
      method: "GET",
      path: "/openapi.json",
      role: "viewer",
      summary: "This API as an OpenAPI document",
      answer: () => description,
    },
  ]);
}
