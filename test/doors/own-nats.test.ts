import { execFile } from "node:child_process";
import { chmod, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { connect } from "@nats-io/transport-node";
import { expect, test, vi } from "vitest";

import { temporaryFolder } from "../support/folder.ts";
import { ROOT, StartedCheckout, checkoutEnv } from "../support/started-checkout.ts";

// The server that `npm start` runs is the registry's door: without its password nobody on this machine comes in.
vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);

test("the own nats-server has a password in the data directory, and every command finds it there", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const env = await checkoutEnv(dataDir);
  const command = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    run("npm", ["run", "-s", "posthorn", "--", ...args], { cwd: ROOT, env: { ...env, ...more } });
  const file = join(dataDir, "nats-password");
  const password = async () => (await readFile(file, "utf8")).trim();
  const servers = env["POSTHORN_NATS_URL"] ?? "";
  let first = "";
  {
    await using checkout = new StartedCheckout(env);
    await checkout.ready();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    first = await password();
    await expect(connect({ servers })).rejects.toThrow(/authorization/i);
    await (await connect({ servers, user: "posthorn", pass: first })).close();
    const { stdout } = await command(["hooks", "list", "--json"]);
    expect(JSON.parse(stdout)).toHaveLength(5);
    expect(checkout.said.stderr + checkout.said.stdout).not.toContain(first);
    // What the settings name counts before the file.
    const others = { POSTHORN_NATS_USER: "somebody", POSTHORN_NATS_PASSWORD: "else" };
    await expect(command(["hooks", "list"], others)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("refuses our credentials"),
    });
    await chmod(file, 0o644);
    await expect(command(["hooks", "list"])).rejects.toMatchObject({
      code: 78,
      stderr: `posthorn: ${file} is open to other users (mode 0644). Run \`chmod 600 ${file}\`; if somebody may have read it, delete it, and a new one is generated at the next start.\n`,
    });
    await rm(file);
    await expect(command(["hooks", "list"])).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(file) });
  }
  // A file that is gone is generated anew, and the store is still ours.
  await using again = new StartedCheckout(env);
  await again.ready();
  expect(await password()).not.toBe(first);
  expect(JSON.parse((await command(["hooks", "list", "--json"])).stdout)).toHaveLength(5);
});

test("the start is refused while others may read the admin token", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const env = await checkoutEnv(dataDir);
  {
    await using checkout = new StartedCheckout(env);
    await checkout.ready();
  }
  const file = join(dataDir, "admin-token");
  await chmod(file, 0o644);
  await using refused = new StartedCheckout(env);
  expect(await refused.ended()).toBe(78);
  expect(refused.said.stderr).toContain(
    `posthorn: ${file} is open to other users (mode 0644). Run \`chmod 600 ${file}\``,
  );
  expect(refused.said.stderr).not.toContain("Posthorn serves");
});
