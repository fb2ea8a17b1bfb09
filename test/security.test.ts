import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

test("each row of the threat model names a test that is there", async () => {
  const text = await readFile(join(ROOT, "SECURITY.md"), "utf8");
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| who tries what"));
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) {
    const [, file = "", title = ""] = /`(test\/[\w/.-]+)` "([^"]+)"/.exec(row) ?? [];
    expect(file, row).not.toBe("");
    expect(await readFile(join(ROOT, file), "utf8"), row).toContain(title);
  }
});

test("the lock file holds the integrity of every package, all come from npm's registry, and none runs a script when installed", async () => {
  const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { integrity?: string; resolved?: string; hasInstallScript?: boolean; link?: boolean }>;
  };
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
  expect(packages.length).toBeGreaterThan(50);
  for (const [path, { integrity, resolved, hasInstallScript }] of packages) {
    expect(integrity, path).toMatch(/^sha512-/);
    // npm leaves it out when it is its own registry.
    expect(resolved ?? "https://registry.npmjs.org/", path).toMatch(/^https:\/\/registry\.npmjs\.org\//);
    expect(hasInstallScript, path).toBeUndefined();
  }
});
