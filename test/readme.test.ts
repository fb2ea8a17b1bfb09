import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { temporaryFolder } from "./support/folder.ts";
import { ROOT, StartedCheckout, checkoutEnv } from "./support/started-checkout.ts";

// The README is followed word by word: each line of the tour is pasted, and the subscriber runs as it stands there.

const run = promisify(execFile);
/** These two run until Ctrl-C, each in a terminal of its own. */
const IN_THEIR_OWN_TERMINAL = ["npm start", "npm run -s posthorn -- tail"];

test("the five-minute tour works when pasted, and the subscriber sees what it sent", { timeout: 180_000 }, async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const tour = sectionOf(readme, "## Five minutes")
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .map((line) => line.trim());
  expect(tour.slice(0, 2)).toEqual(IN_THEIR_OWN_TERMINAL);
  const toPaste = tour.slice(2);
  expect(toPaste.length).toBeGreaterThan(7);

  await using folder = await temporaryFolder();
  const env = await checkoutEnv(join(folder.path, "data"));
  await using checkout = new StartedCheckout(env);
  await checkout.ready();
  for (const line of toPaste) {
    await run("sh", ["-ec", line], { cwd: ROOT, env }).catch((error: unknown) => {
      throw new Error(`the line does not work when pasted: ${line}`, { cause: error });
    });
  }

  const [, code = ""] = /```js\n(.*?)```/s.exec(sectionOf(readme, "### A subscriber")) ?? [];
  const subscriber = spawn(process.execPath, ["--input-type=module", "-e", code], { cwd: ROOT, env });
  let heard = "";
  subscriber.stdout.setEncoding("utf8").on("data", (text: string) => (heard += text));
  subscriber.stderr.setEncoding("utf8").on("data", (text: string) => (heard += text));
  while (heard.split("kustomer.app.ecommstore.order.").length < 3 && subscriber.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 50));
  subscriber.kill();
  expect(heard).toContain("kustomer.app.ecommstore.order.confirmation");
  expect(heard).toContain("kustomer.app.ecommstore.order.update");
});

/** What stands below a heading, as far as the next one of its kind or above. */
function sectionOf(readme: string, heading: string): string {
  const [, after = ""] = readme.split(`\n${heading}\n`);
  return after.split(/\n#{2,3} /)[0] ?? "";
}
