import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/bench/**", "test/soak/**", "test/faults/**", "test/hostile/**"],
    // Most tests wait for other processes: three files at once keep two cores busy.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // What other processes do takes its time on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
