import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

// V8's big collections beside buffers that nobody keeps: before 14.8 each thirty megabytes of them begin one.

const MODULE = join(import.meta.dirname, "../../src/cli/held-buffers.ts");
const SCRIPT = `
  import { PerformanceObserver, constants } from "node:perf_hooks";
  import { countHeldBuffers } from ${JSON.stringify(MODULE)};
  countHeldBuffers(process.versions.v8);
  let count = 0;
  new PerformanceObserver((list) => {
    count += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  }).observe({ entryTypes: ["gc"] });
  for (let i = 0; i < 2_000; i += 1) {
    Buffer.alloc(500_000);
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.stdout.write(String(count));
`;

test("a gigabyte in buffers that are let go begins four big collections at most", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", SCRIPT]);
  expect(Number(stdout)).toBeLessThanOrEqual(4);
});
