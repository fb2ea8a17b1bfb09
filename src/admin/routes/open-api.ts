import type { FastifyInstance } from "fastify";

import type { AdminServices } from "../services.ts";

/** `/openapi.json`: the installed form and web hooks, for programs that call them. For administrators, for it holds their ids. */
export function openApiRoute(server: FastifyInstance, { hooksOpenApi }: Pick<AdminServices, "hooksOpenApi">): void {
  server.get("/openapi.json", { config: { role: "administrator" } }, async (_request, reply) =>
    reply.type("application/json").send(hooksOpenApi()),
  );
}
