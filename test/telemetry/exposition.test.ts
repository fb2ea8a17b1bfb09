import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";

import { createCounter, createGauge, createGauges, createHistogram } from "../../src/telemetry/exposition.ts";

// What Prometheus' own client writes is what we write, byte for byte.

test("counters, gauges and histograms are written as Prometheus' client writes them", async () => {
  const registry = new Registry();
  const registers = [registry];
  const theirs = {
    plain: new Counter({ name: "plain_total", help: "Plain.", registers }),
    labelled: new Counter({ name: "labelled_total", help: "Labelled.", labelNames: ["door", "cause"], registers }),
    one: new Gauge({ name: "one", help: "One.", registers }),
    several: new Gauge({ name: "several", help: "Several.", labelNames: ["queue"], registers }),
    seconds: new Histogram({ name: "some_seconds", help: "Seconds.", buckets: [0.1, 1, 10], registers }),
  };
  const ours = {
    plain: createCounter("plain_total", "Plain.", []),
    labelled: createCounter("labelled_total", "Labelled.", ["door", "cause"]),
    one: createGauge("one", "One.", () => 7),
    several: createGauges("several", "Several.", "queue", () => ({ worker: 1, publish: 2.5 })),
    seconds: createHistogram("some_seconds", "Seconds.", [0.1, 1, 10]),
  };
  theirs.one.set(7);
  theirs.several.set({ queue: "worker" }, 1);
  theirs.several.set({ queue: "publish" }, 2.5);
  const written = () =>
    Object.values(ours)
      .map((measure) => measure.text())
      .join("\n");
  expect(written()).toBe(await registry.metrics());

  for (const labels of [
    { door: "smtp", cause: "" },
    { door: "http", cause: 'a "quoted" \\ and\nbroken' },
    { door: "smtp", cause: "" },
  ]) {
    theirs.labelled.inc(labels);
    ours.labelled.add(labels);
  }
  theirs.labelled.inc({ door: "lmtp", cause: "x" }, 5);
  ours.labelled.add({ door: "lmtp", cause: "x" }, 5);
  theirs.plain.inc();
  ours.plain.add({});
  for (const value of [0.05, 0.1, 0.5, 10, 11, 0.25]) {
    theirs.seconds.observe(value);
    ours.seconds.observe(value);
  }
  expect(written()).toBe(await registry.metrics());
  expect([...ours.labelled.series()].map(([{ door }, count]) => `${door} ${count}`)).toEqual([
    "smtp 2",
    "http 1",
    "lmtp 5",
  ]);
});
