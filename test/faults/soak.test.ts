import { expect, test } from "vitest";

import type { FaultName } from "../soak/faults.ts";
import { soak } from "../soak/soak.ts";

// The soak itself (`npm run soak`): short, and able to fail.

const QUICK: readonly FaultName[] = ["daemon killed", "nats killed", "acks lost", "nats slow", "hostile mail"];

const say = (line: string) => process.stdout.write(`faults | soak: ${line}\n`);

test("a short soak over quick faults: nothing lost, doubled, mistaken, answered wrongly or left over", async () => {
  const report = await soak({ seed: 11, lastsMs: 12_000, plant: false, kinds: QUICK, say });
  const { lost, doubled, mistaken, wrong, unsettled } = report;
  expect({ lost, doubled, mistaken, wrong, unsettled }).toEqual({
    lost: [],
    doubled: [],
    mistaken: [],
    wrong: [],
    unsettled: 0,
  });
  expect(report.acked).toBeGreaterThan(0);
  expect(report.stored).toBeGreaterThanOrEqual(report.acked);
});

test("a daemon that answers before the ack is found out within two minutes", async () => {
  const report = await soak({ seed: 11, lastsMs: 120_000, plant: true, kinds: ["nats killed"], say });
  expect(report.lost.length).toBeGreaterThan(0);
});
