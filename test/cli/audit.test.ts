import { hostname } from "node:os";

import { expect, test, vi } from "vitest";

import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

// Five processes, one after the other.
vi.setConfig({ testTimeout: 120_000 });

test("what a command changes is in the audit log with who ran it, and no secret is", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  await using folder = await temporaryFolder();
  const env = { POSTHORN_NATS_URL: nats.url, POSTHORN_DATA_DIR: folder.path };
  const hook = await posthorn.emailHook();
  for (const args of [
    ["hooks", "pause", hook.eventName],
    ["hooks", "rotate", hook.eventName],
    ["keys", "create", "--app", "shop"],
    ["apps", "uninstall", "shop"],
    ["hooks", "list"],
  ])
    expect((await posthornCommand(args, { env, cwd: folder.path })).code).toBe(0);
  const entries = (await storedIn(posthorn, "POSTHORN_AUDIT")).map(({ subject, text }) => {
    const { actor, via, action, target } = JSON.parse(text) as Record<string, string>;
    expect(subject).toBe(`posthorn.audit.${action}`);
    expect(actor?.endsWith(`@${hostname()}`)).toBe(true);
    for (const secret of ["phk_", hook.hookId]) expect(text).not.toContain(secret);
    return [via, action, target];
  });
  expect(entries).toEqual([
    ["cli", "hook.state", hook.eventName],
    ["cli", "hook.rotate", hook.eventName],
    ["cli", "key.create", expect.any(String)],
    ["cli", "app.uninstall", "shop"],
  ]);
});
