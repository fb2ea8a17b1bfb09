import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { startNatsServer } from "./support/nats-server.ts";

const ROOT = join(import.meta.dirname, "..");
/** Makes a process believe that it is Node 20; the one that it starts is what it is. */
const OLD_NODE = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})`;

function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ["--import", OLD_NODE, join(ROOT, "src", "bin.js"), ...args], {
    env: { ...process.env, ...env },
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  // "close" comes when nobody holds the pipes any more: neither this process nor the one it started.
  const closed = once(child, "close").then(([code]) => code as number | null);
  return { child, said, closed };
}

test("an old Node runs the program on the Node that came with the packages, and gives its output and exit code", async () => {
  const shown = launch(["--version"]);
  expect(await shown.closed).toBe(0);
  expect(shown.said.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const wrong = launch(["no-such-command"]);
  expect(await wrong.closed).toBe(2);
  expect(wrong.said.stderr).toBe("posthorn: unknown command 'no-such-command'. See `posthorn --help`.\n");
});

test("a signal to the launcher stops the daemon gracefully, and so does the launcher's sudden end", async () => {
  await using nats = await startNatsServer();
  for (const [signal, code] of [
    ["SIGTERM", 0],
    ["SIGINT", 0],
    ["SIGKILL", null],
  ] as const) {
    const folder = await mkdtemp(join(tmpdir(), "posthorn-bin-"));
    const daemon = launch(["serve"], {
      POSTHORN_NATS_URL: nats.url,
      POSTHORN_DATA_DIR: folder,
      POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
      POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
      POSTHORN_ADMIN_LISTEN: "127.0.0.1:0",
    });
    while (!daemon.said.stderr.includes("Posthorn serves")) await once(daemon.child.stderr, "data");
    daemon.child.kill(signal);
    expect(await daemon.closed).toBe(code);
    expect(daemon.said.stderr).toContain("Stopped");
    await rm(folder, { recursive: true, force: true });
  }
});
