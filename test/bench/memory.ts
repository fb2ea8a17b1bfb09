import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { READ_LIMITS } from "../../src/engine/budgets.ts";
import { readMail } from "../../src/engine/read-mail.ts";
import { SHAPES } from "./memory-shapes.ts";

const WISHES = [{ options: { jsonld: "as-sent" } }] as const;
const SMALL = Buffer.from("Content-Type: text/html\r\n\r\n<p>{</p><script type=application/json>{}</script>\r\n");

// The most memory that a process has while it reads a mail of 25 MB, the mail itself included, over what it has without
// one: as a multiple of the mail's size. Each shape in a process of its own. Run: npm run bench:memory
const shape = process.argv[2];
if (shape === undefined)
  for (const name of Object.keys(SHAPES))
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { stdio: "inherit" });
else await measure(shape);

async function measure(name: string): Promise<void> {
  const make = SHAPES[name];
  if (make === undefined) throw new Error(`no shape ${name}; there are ${Object.keys(SHAPES).join(", ")}`);
  await readMail(SMALL, WISHES, READ_LIMITS);
  const before = process.resourceUsage().maxRSS * 1_024;
  const mail = make();
  const made = process.resourceUsage().maxRSS * 1_024;
  const reading = await readMail(mail, WISHES, READ_LIMITS);
  const after = process.resourceUsage().maxRSS * 1_024;
  const what = reading.kind === "read" ? (reading.choices[0]?.kind ?? "") : reading.kind;
  const share = (bytes: number) => (bytes / mail.length).toFixed(2);
  process.stdout.write(
    `${name.padEnd(32)}${share(after - before)} times its size (${share(made - before)} the mail itself), ${what}\n`,
  );
}
