import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/free-port.ts";
import { ROOT, StartedCheckout, checkoutEnv } from "../support/started-checkout.ts";

// The first minutes of a new user: `npm start` with no NATS anywhere, each printed line pasted, each event seen.

const run = promisify(execFile);

test("npm start prints a line for each hook, and each line pasted is an event", { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder();
  const env = await checkoutEnv(join(folder.path, "data"));
  await using checkout = new StartedCheckout(env);
  await checkout.ready();
  // The launcher has begun again as the same process, with bounds on its memory.
  expect(await readFile(`/proc/${checkout.child.pid}/cmdline`, "utf8")).toContain("--max-semi-space-size=4");
  const { stdout: banner } = checkout.said;
  const toPaste = banner
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(?:curl|printf) /.test(line));
  const eventNames = [...banner.matchAll(/(?:email|form|web), (kustomer\.app\.\S+)/g)].map(([, name]) => name);
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

  await using second = new StartedCheckout({ ...env, POSTHORN_NATS_URL: `nats://127.0.0.1:${await freePort()}` });
  expect(await second.ended()).toBe(1);
  expect(second.said.stderr.trimEnd().split("\n").at(-1)).toBe(
    `posthorn: another Posthorn uses the data directory ${env["POSTHORN_DATA_DIR"]}. Stop it, or set POSTHORN_DATA_DIR to another folder.`,
  );

  checkout.child.kill("SIGTERM");
  expect(await checkout.ended(), checkout.said.stderr).toBe(0);
  const natsPort = env["POSTHORN_NATS_URL"]?.split(":").at(-1);
  await expect(run(process.execPath, ["-e", `require("net").connect(${natsPort}, "127.0.0.1")`])).rejects.toThrow(
    "ECONNREFUSED",
  );
});

const sorted = (names: readonly (string | undefined)[]) => names.map(String).toSorted((a, b) => a.localeCompare(b));
