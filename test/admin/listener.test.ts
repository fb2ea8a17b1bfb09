import { fastify } from "fastify";
import { expect, test } from "vitest";

import { openAdminListener } from "../../src/admin/listener.ts";
import { createProbes } from "../../src/admin/probes.ts";
import { silentLog } from "../support/silent-log.ts";

const AT = { host: "127.0.0.1", port: 0 };

test("probes are answered before anything else is loaded; the page is loaded once, at the first request for it", async () => {
  let isServing = false;
  let loads = 0;
  const listening = await openAdminListener({
    at: AT,
    probes: createProbes({
      checkReadiness: () => [{ name: "nats", ok: true, detail: "connected" }],
      isServing: () => isServing,
    }),
    load: async (server) => {
      loads += 1;
      if (loads === 1) throw new Error("the disk is away");
      const app = fastify({ serverFactory: () => server });
      return app.get("/", async () => "the page").post("/livez", async () => "the page's");
    },
    log: silentLog,
  });
  const ask = (path: string, method = "GET") => fetch(`http://127.0.0.1:${listening.port}${path}`, { method });

  const alive = await ask("/livez?x");
  expect([alive.status, await alive.text()]).toEqual([200, "alive\n"]);
  expect(alive.headers.get("content-security-policy")).toContain("default-src 'none'");
  const stopping = await ask("/readyz");
  expect([stopping.status, await stopping.json()]).toEqual([
    503,
    { ready: false, stopping: true, checks: [{ name: "nats", ok: true, detail: "connected" }] },
  ]);
  isServing = true;
  const ready = await ask("/readyz", "HEAD");
  expect([ready.status, await ready.text()]).toEqual([200, ""]);
  expect(loads).toBe(0);

  // What cannot be loaded now may be there at the next try.
  expect((await ask("/")).status).toBe(500);
  const answers = await Promise.all([ask("/"), ask("/"), ask("/livez", "POST")]);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["the page", "the page", "the page's"]);
  expect(loads).toBe(2);
  await listening.close();
  await expect(ask("/livez")).rejects.toThrow("fetch failed");
});
