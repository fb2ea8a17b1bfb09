import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { Profiler } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startNatsServer } from "../support/nats-server.ts";
import { ORDER_HOOK, startPosthorn } from "./contestant.ts";
import { flagValue } from "./flags.ts";
import type { SmtpLoad, SmtpLoadResult } from "./load/smtp.ts";
import { generate, print } from "./rounds.ts";

// Where the main thread's time goes, part by part: 20 sessions, mails of 3.7 KB, after a warm-up.
// Run: node test/bench/profile.ts [--mails 6000] [--keep FILE]
const mails = Number(flagValue("--mails") ?? 6_000);
const keep = flagValue("--keep");
const WARM_UP_MAILS = 18_000;
const SWITCH = join(import.meta.dirname, "profile-switch.ts");
const PATIENCE_MS = 60_000;

/** By the innermost of our own files or of a package that is on the stack; the first that fits counts. */
const PARTS: readonly (readonly [part: string, where: RegExp])[] = [
  ["socket and SMTP", /\/src\/receive\/|\/smtp-server\//],
  ["to NATS and back", /\/src\/publish\/|\/@nats-io\//],
  ["JSON", /\/src\/extract\/(?:json|duplicate|same-value|value-node|repairs)/],
  ["finding data in HTML and text", /\/src\/extract\//],
  ["MIME and headers", /\/src\/parse\//],
  ["event and its id", /\/src\/event\//],
  ["who sent it", /\/src\/authenticate\/|\/mailauth\//],
  ["log and metrics", /\/src\/telemetry\/|\/pino|\/sonic-boom\//],
  ["stages, deadlines, wiring", /\/src\//],
];
/** A write to a socket is the system's work, whoever asked for it. */
const SYSTEM = /^(?:writev|write(?:Utf8|Latin1)String|writeBuffer|writeString)$/;

const folder = await mkdtemp(join(tmpdir(), "posthorn-profile-"));
const file = keep ?? join(folder, "posthorn.cpuprofile");
try {
  await using nats = await startNatsServer();
  await using posthorn = await startPosthorn(nats.url, {
    hooks: [ORDER_HOOK],
    nodeArgs: ["--import", SWITCH],
    env: { PROFILE_FILE: file },
  });
  const load = { port: posthorn.port, sessions: 20, recipients: [posthorn.target], lmtp: false };
  await generate<SmtpLoadResult>("smtp.ts", { ...load, mails: WARM_UP_MAILS, firstNumber: 1 } satisfies SmtpLoad);
  process.kill(posthorn.pid, "SIGUSR2");
  await generate<SmtpLoadResult>("smtp.ts", { ...load, mails, firstNumber: 1_000_000 } satisfies SmtpLoad);
  process.kill(posthorn.pid, "SIGUSR2");
  printParts(await profileIn(file));
} finally {
  await rm(folder, { recursive: true, force: true });
}

function printParts(profile: Profiler.Profile): void {
  const byPart = new Map<string, number>();
  const parts = partsOf(profile);
  let busy = 0;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const part = parts.get(id);
    if (part === undefined) continue;
    const took = profile.timeDeltas?.[index] ?? 0;
    byPart.set(part, (byPart.get(part) ?? 0) + took);
    busy += took;
  }
  print(`| part | us a mail | share |\n|---|---|---|`);
  for (const [part, took] of [...byPart].toSorted(([, a], [, b]) => b - a))
    print(`| ${part} | ${(took / mails).toFixed(0)} | ${((took / busy) * 100).toFixed(0)} % |`);
  print(`| **all** | ${(busy / mails).toFixed(0)} | |`);
}

/** The part that each node of the profile belongs to; `undefined` for what is no work. */
function partsOf({ nodes }: Profiler.Profile): ReadonlyMap<number, string | undefined> {
  const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const frameOf = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  return new Map(
    nodes.map(({ id, callFrame: { functionName } }) => {
      if (functionName === "(idle)") return [id, undefined];
      if (functionName === "(garbage collector)") return [id, "garbage"];
      if (SYSTEM.test(functionName)) return [id, "the system's sending"];
      for (let at: number | undefined = id; at !== undefined; at = parentOf.get(at)) {
        const { url = "" } = frameOf.get(at) ?? {};
        if (url.endsWith("/profile-switch.ts") || url === "node:inspector") return [id, undefined];
        const part = PARTS.find(([, where]) => where.test(url))?.[0];
        if (part !== undefined) return [id, part];
      }
      return [id, "Node itself"];
    }),
  );
}

async function profileIn(path: string): Promise<Profiler.Profile> {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    try {
      return JSON.parse(await readFile(path, "utf8")) as Profiler.Profile;
    } catch (error) {
      // Not there yet, or half written.
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
