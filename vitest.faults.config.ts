import { defineConfig } from "vitest/config";

/** Faults on real processes: slower than `npm test`, and run beside it by CI. */
export default defineConfig({
  test: {
    include: ["test/faults/**/*.test.ts"],
    testTimeout: 900_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
