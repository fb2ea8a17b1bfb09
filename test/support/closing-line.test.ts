import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

/** Runs vitest with our reporter over these test files; the last line of its output and the exit code. */
async function closingLine(files: Readonly<Record<string, string>>): Promise<{ line: string; code: number }> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-closing-"));
  try {
    const reporter = join(ROOT, "test", "support", "closing-line.ts");
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    await writeFile(
      join(folder, "vitest.config.ts"),
      `export default { test: { reporters: ["default", "${reporter}"] } };`,
    );
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), `import { expect, test } from "vitest";\n${text}`);
    const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
    return await new Promise((resolve) => {
      execFile(process.execPath, [vitest, "run"], { cwd: folder }, (error, stdout) => {
        const line = stdout.trimEnd().split("\n").at(-1) ?? "";
        resolve({ line, code: typeof error?.code === "number" ? error.code : 0 });
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("tests that pass are counted, and the exit code is 0", async () => {
  const files = { "a.test.ts": 'test("a", () => {}); test("b", () => {});' };
  expect(await closingLine(files)).toEqual({ line: "2 passed, 0 failed", code: 0 });
});

test("a skipped test is a failed one", async () => {
  const files = { "a.test.ts": 'test("a", () => {}); test.skip("b", () => {});' };
  expect(await closingLine(files)).toEqual({ line: "1 passed, 1 failed", code: 1 });
});

test("a file that breaks and a rejection nobody handled count too", async () => {
  const files = {
    "a.test.ts": 'test("a", () => {}); test("b", () => expect(1).toBe(2));',
    "broken.test.ts": 'throw new Error("broken"); test("never", () => {});',
    "stray.test.ts":
      'test("c", async () => { Promise.reject(new Error("stray")); await new Promise((go) => setTimeout(go, 50)); });',
  };
  expect(await closingLine(files)).toEqual({ line: "2 passed, 3 failed", code: 1 });
});

test("a run without any test has failed", async () => {
  expect(await closingLine({ "a.test.ts": "" })).toMatchObject({
    code: 1,
    line: expect.stringMatching(/^0 passed, [1-9]/),
  });
});
