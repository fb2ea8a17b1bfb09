import { parseArgs } from "node:util";

import { soak } from "./soak.ts";

// npm run soak -- --minutes N --seed S [--plant]: prints what it does to stderr and its report to stdout; exit code 1 when
// something was lost, doubled, answered wrongly or never accepted. With --plant the daemon answers before the ack.

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    plant: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write("usage: npm run soak -- --minutes 30 --seed 1 [--plant]\n");
  process.exit(2);
}
const report = await soak({
  seed,
  lastsMs: minutes * 60_000,
  plant: values.plant,
  say: (line) => process.stderr.write(`soak | ${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
const { lost, doubled, mistaken, wrong, unsettled } = report;
process.exitCode = lost.length + doubled.length + mistaken.length + wrong.length + unsettled > 0 ? 1 : 0;
