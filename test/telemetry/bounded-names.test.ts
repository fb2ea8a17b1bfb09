import { expect, test } from "vitest";

import { createBoundedNames } from "../../src/telemetry/bounded-names.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

test("the first names are themselves for good, the rest is other", () => {
  const named = createBoundedNames(2);
  expect(["a", "b", "c", "a", "d", "b"].map(named)).toEqual(["a", "b", "other", "a", "other", "b"]);
});

test("the first 500 event names have series of their own, in outcomes, refusals and durations alike", async () => {
  const metrics = createMetrics({
    version: "1",
    now: () => 0,
    connections: () => 0,
    bytesInFlight: () => ({ mail: 0, http: 0 }),
    queueDepth: () => ({ worker: 0, publish: 0 }),
    natsConnected: () => true,
    registryLoaded: () => true,
    daysUntilFull: async () => ({}),
    certificateEndsAt: () => undefined,
  });
  for (let number = 0; number < 600; number += 1) {
    const hook = `kustomer.app.shop.h${number}`;
    metrics.countOutcome({ door: "smtp", hook, outcome: "stored", cause: "" });
    metrics.countRefusal({ door: "smtp", hook, answer: "450 4.7.1", cause: "rate-limited" });
    metrics.observeDelivery({ door: "smtp", hook }, 5);
  }
  metrics.countRefusal({ door: "smtp", hook: "", answer: "550 5.1.1", cause: "no-such-hook" });
  const { body } = await metrics.text();
  const hooksOf = (series: string) =>
    new Set([...body.matchAll(new RegExp(`^${series}\\{.*hook="([^"]*)"`, "gm"))].map(([, hook]) => hook));
  for (const series of ["posthorn_outcomes_total", "posthorn_refusals_total", "posthorn_delivery_seconds_count"]) {
    const hooks = hooksOf(series);
    expect(hooks.has("kustomer.app.shop.h499"), series).toBe(true);
    expect(hooks.has("kustomer.app.shop.h500"), series).toBe(false);
    expect(hooks.size, series).toBe(series === "posthorn_refusals_total" ? 502 : 501);
  }
  expect(body).toContain('posthorn_outcomes_total{door="smtp",hook="other",outcome="stored",cause=""} 100\n');
  // What is not known is not told.
  expect(body).not.toMatch(/^posthorn_(?:certificate|store)\w* /m);
});
