import type { FastifyInstance } from "fastify";

import type { AdminServices } from "./services.ts";

/**
 * `/livez`: the process answers. `/readyz`: the registry is loaded and NATS and the streams are there, with each check and
 * the durability in words; 503 when one is not, and from the moment the daemon begins to stop. `/metrics`: for Prometheus.
 */
export function probes(server: FastifyInstance, services: AdminServices): void {
  const open = { config: { role: "anybody", anyHost: true } } as const;
  server.get("/livez", open, async (_request, reply) => reply.type("text/plain; charset=utf-8").send("alive\n"));
  server.get("/readyz", open, async (_request, reply) => {
    const checks = await services.checkHealth();
    const ready = services.isServing() && checks.every(({ ok }) => ok);
    return reply.code(ready ? 200 : 503).send({ ready, ...(!services.isServing() && { stopping: true }), checks });
  });
  server.get("/metrics", async (_request, reply) => {
    const { body, contentType } = await services.metricsText();
    return reply.type(contentType).send(body);
  });
}
