import { defineConfig } from "vitest/config";

/** Faults on real processes: slower than `npm test`, and run beside it by CI. */
export default defineConfig({
  test: {
    include: ["test/faults/**/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
    reporters: ["default", "./test/support/closing-line.ts"],
  },
});
