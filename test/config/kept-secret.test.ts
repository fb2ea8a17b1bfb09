import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { keptSecret } from "../../src/config/kept-secret.ts";
import { temporaryFolder } from "../support/folder.ts";

const wish = { name: "admin-token", what: "the admin token", hint: "set POSTHORN_ADMIN_TOKEN" };

test("a secret is generated once, for this user only", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  // Two processes at once agree on one.
  const [first, second] = await Promise.all([keptSecret(dataDir, wish), keptSecret(dataDir, wish)]);
  expect(first.secret).toMatch(/^[\w-]{43}$/);
  expect(second).toEqual(first);
  expect(await readFile(first.file, "utf8")).toBe(`${first.secret}\n`);
  expect((await stat(first.file)).mode & 0o777).toBe(0o600);
});

test.each([0o644, 0o604, 0o606, 0o602, 0o777])(
  "a file with mode %o is refused, and the secret is not told",
  async (mode) => {
    await using folder = await temporaryFolder();
    const { file, secret } = await keptSecret(folder.path, wish);
    await chmod(file, mode);
    const refused = await keptSecret(folder.path, wish).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      name: "OperatorError",
      message: `${file} is open to other users (mode 0${mode.toString(8)})`,
      hint: expect.stringContaining(`chmod 600 ${file}`),
      exitCode: 78,
    });
    expect(JSON.stringify(refused)).not.toContain(secret);
  },
);

test.each([0o600, 0o400, 0o640, 0o660])(
  "a file with mode %o is read: its group is the operator's choice",
  async (mode) => {
    await using folder = await temporaryFolder();
    const { file, secret } = await keptSecret(folder.path, wish);
    await chmod(file, mode);
    expect((await keptSecret(folder.path, wish)).secret).toBe(secret);
  },
);

test("a file without a secret, and a folder that cannot be written, are said", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "admin-token"), "short\n", { mode: 0o600 });
  await expect(keptSecret(folder.path, wish)).rejects.toThrow("holds fewer than 16 characters");
  await expect(keptSecret(join(folder.path, "admin-token"), wish)).rejects.toMatchObject({
    message: expect.stringContaining("the admin token cannot be kept in"),
    hint: "set POSTHORN_ADMIN_TOKEN",
  });
});
