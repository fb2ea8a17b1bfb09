import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints `N passed, N failed` as the last line, and sets the exit code by it.
 *
 * A skipped test, a broken file and a stray rejection count as failed; so does a run without any test.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        if (test.result().state === "passed") passed += 1;
        else failed += 1;
      }
      // A file that failed before or after its tests has no failed test of its own.
      if (module.state() === "failed" && failed === before) failed += 1;
    }
    if (passed === 0) failed += 1;
    if (failed > 0) process.exitCode = 1;
    // After vitest's own summary, which is written in this turn of the event loop too.
    setImmediate(() => process.stdout.write(`${passed} passed, ${failed} failed\n`));
  }
}
