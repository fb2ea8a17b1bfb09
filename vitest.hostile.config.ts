import { defineConfig } from "vitest/config";

/** What hostile inputs cost: how time grows with them, and for how long the main thread never rests. Minutes of CPU time; run by CI. */
export default defineConfig({
  test: {
    include: ["test/hostile/**/*.test.ts"],
    testTimeout: 600_000,
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
