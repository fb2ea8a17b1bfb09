import type { FastifyInstance } from "fastify";

import type { AdminServices } from "./services.ts";

const FRESH_MS = 1_000;

/**
 * `/livez`: the process answers. `/readyz`: the registry is loaded and NATS and the streams are there, with each check and
 * the durability in words; 503 when one is not, and from the moment the daemon begins to stop. `/metrics`: for Prometheus.
 */
export function probes(server: FastifyInstance, services: AdminServices): void {
  const open = { config: { role: "anybody", anyHost: true } } as const;
  server.get("/livez", open, async (_request, reply) => reply.type("text/plain; charset=utf-8").send("alive\n"));
  // Anybody may ask, as often as anybody likes; NATS is asked once a second at most.
  let looked: { readonly at: number; readonly checks: ReturnType<AdminServices["checkHealth"]> } | undefined;
  server.get("/readyz", open, async (_request, reply) => {
    const now = services.now();
    if (looked === undefined || now - looked.at > FRESH_MS) looked = { at: now, checks: services.checkHealth() };
    const checks = await looked.checks;
    const ready = services.isServing() && checks.every(({ ok }) => ok);
    return reply.code(ready ? 200 : 503).send({ ready, ...(!services.isServing() && { stopping: true }), checks });
  });
  server.get("/metrics", async (_request, reply) => {
    const { body, contentType } = await services.metricsText();
    return reply.type(contentType).send(body);
  });
}
