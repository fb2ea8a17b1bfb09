import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/free-port.ts";

// The first five minutes of a new user: `npm start` with no NATS anywhere, each printed line pasted, each event seen.

const ROOT = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

test("npm start prints a line for each hook, and each line pasted is an event", { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder();
  const [nats, smtp, http, admin] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const env = {
    ...process.env,
    POSTHORN_NATS_URL: `nats://127.0.0.1:${nats}`,
    POSTHORN_DATA_DIR: join(folder.path, "data"),
    POSTHORN_SMTP_LISTEN: `127.0.0.1:${smtp}`,
    POSTHORN_HTTP_LISTEN: `127.0.0.1:${http}`,
    POSTHORN_ADMIN_LISTEN: `127.0.0.1:${admin}`,
    POSTHORN_PUBLIC_URL: `http://127.0.0.1:${http}`,
  };
  const [daemon, said] = start(env);
  try {
    await waitFor("See events arrive", daemon, said);
    const lines = said.stdout.split("\n").map((line) => line.trim());
    const toPaste = lines.filter((line) => /^(?:curl|printf) /.test(line));
    const eventNames = [...said.stdout.matchAll(/(?:email|form|web), (kustomer\.app\.\S+)/g)].map(([, name]) => name);
    expect(eventNames).toHaveLength(5);
    expect(toPaste).toHaveLength(5);
    for (const line of toPaste) await run("sh", ["-ec", line], { cwd: ROOT, env });
    const tail = ["run", "-s", "posthorn", "--", "tail", "--since", "1h", "--count", "5", "--json"];
    const { stdout } = await run("npm", tail, { cwd: ROOT, env });
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(sorted(events.map(({ type }) => type))).toEqual(sorted(eventNames));

    const [second, secondSaid] = start({ ...env, POSTHORN_NATS_URL: `nats://127.0.0.1:${await freePort()}` });
    expect(await ended(second)).toBe(1);
    expect(secondSaid.stderr.trimEnd().split("\n").at(-1)).toBe(
      `posthorn: another Posthorn uses the data directory ${env.POSTHORN_DATA_DIR}. Stop it, or set POSTHORN_DATA_DIR to another folder.`,
    );
  } finally {
    daemon.kill("SIGTERM");
  }
  expect(await ended(daemon), said.stderr).toBe(0);
  await expect(run(process.execPath, ["-e", `require("net").connect(${nats}, "127.0.0.1")`])).rejects.toThrow(
    "ECONNREFUSED",
  );
});

function start(env: NodeJS.ProcessEnv): [ChildProcess, { stdout: string; stderr: string }] {
  const child = spawn(process.execPath, [join(ROOT, "src", "bin.js"), "start"], { cwd: ROOT, env });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  return [child, said];
}

async function waitFor(words: string, child: ChildProcess, said: { stdout: string; stderr: string }): Promise<void> {
  while (!said.stdout.includes(words)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

const sorted = (names: readonly (string | undefined)[]) => names.map(String).toSorted((a, b) => a.localeCompare(b));
