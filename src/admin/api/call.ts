import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TSchema } from "typebox";

import type { Role } from "../session.ts";

/** One call of the API: how it is asked for, who may, and what it answers. Route and OpenAPI document are made of it. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`, with `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  /** Whom it is for, and everybody above. */
  readonly role: Role;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly bodyLimit?: number;
  /** Status of success; 200 when left out. */
  readonly status?: number;
  /** What is answered; JSON text is sent as it is, so that a sender's digits stay. */
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

/** JSON text that is sent as it is. */
export class JsonBody {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const API_ROOT = "/api/v1";

/** Adds the routes of these calls. */
export function addCalls(server: FastifyInstance, calls: readonly ApiCall[]): void {
  for (const { method, path, role, query, body, bodyLimit, status = 200, answer } of calls) {
    server.route({
      method,
      url: `${API_ROOT}${path}`,
      config: { role },
      ...(bodyLimit !== undefined && { bodyLimit }),
      schema: { ...(query !== undefined && { querystring: query }), ...(body !== undefined && { body }) },
      handler: async (request, reply) => {
        const said = await answer(request, reply);
        if (reply.sent || said === reply) return reply;
        if (status === 204) return reply.code(204).send();
        reply.code(status).type("application/json; charset=utf-8");
        return reply.send(said instanceof JsonBody ? said.text : JSON.stringify(said));
      },
    });
  }
}
