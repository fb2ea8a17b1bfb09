import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

// V8's big collections beside buffers that nobody keeps: once begun by all of them, and then by what is held.

const MODULE = join(import.meta.dirname, "../../src/cli/held-buffers.ts");

test("buffers that are let go begin a quarter of the big collections at most, where V8 does not count so by itself", async () => {
  const [before, after] = [await bigCollections("99.0"), await bigCollections("13.6")];
  expect(before).toBeGreaterThanOrEqual(8);
  expect(after).toBeLessThanOrEqual(before / 4);
});

/** How many there are while a gigabyte goes through buffers, with `v8Version` given for the engine's. */
async function bigCollections(v8Version: string): Promise<number> {
  const script = `
    import { PerformanceObserver, constants } from "node:perf_hooks";
    import { countHeldBuffers } from ${JSON.stringify(MODULE)};
    countHeldBuffers(${JSON.stringify(v8Version)});
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
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return Number(stdout);
}
