import { connect } from "node:net";

import { FAMILIES } from "./families.ts";
import { SIGNED_ATTACKS } from "../hostile/support/signed-attacks.ts";
import { mailOfFamily } from "../hostile/support/mail-of-family.ts";
import { HOSTILE_MAILS } from "../faults/support/hostile-mails.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import { ORDER_HOOK, startPosthorn } from "./contestant.ts";
import { flagValue } from "./flags.ts";
import { report, spreadOf } from "./rounds.ts";

// For how long others wait beside one hostile input: while each goes in alone, /livez, the HTTP door and a greeting of the
// mail door are asked for every few milliseconds, each on a connection of its own.
// Run: npm run bench -- waits [--ms SIZE-IN-KB]
const SIZE = 250_000;
const EVERY_MS = 5;
const TARGET_MS = 100;
const only = flagValue("--only");

await using nats = await startNatsServer();
await using posthorn = await startPosthorn(nats.url, { hooks: [ORDER_HOOK] });

const inputs: readonly (readonly [string, () => string])[] = [
  ...FAMILIES.map((family) => [`${family.as}: ${family.name}`, () => mailOfFamily(family, SIZE)] as const),
  ...Object.entries(HOSTILE_MAILS),
  ...Object.entries(SIGNED_ATTACKS).map(([name, build]) => [`signed: ${name}`, () => build(SIZE)] as const),
];
const PROBES = { livez: askLivez, http: askHook, smtp: greet } as const;
type Probe = keyof typeof PROBES;
const worst: { readonly input: string; readonly probe: Probe; readonly ms: number }[] = [];
const idle: number[] = [];

// What is loaded and compiled at the first requests is nobody's cost.
for (let warm = 0; warm < 100; warm += 1) await Promise.all(Object.values(PROBES).map((ask) => ask()));
for (let round = 0; round < 100; round += 1) idle.push(...(await probeOnce()).map(({ ms }) => ms));
for (const [input, build] of inputs) {
  if (only !== undefined && !input.includes(only)) continue;
  const mail = Buffer.from(build().replace(/\r\n|\r|\n/g, "\r\n"));
  let isOver = false;
  const sent = send(mail).finally(() => (isOver = true));
  const waits: { probe: Probe; ms: number }[] = [];
  while (!isOver) {
    waits.push(...(await probeOnce()));
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await sent;
  const longest = waits.toSorted((a, b) => b.ms - a.ms)[0];
  if (longest !== undefined) worst.push({ input, ...longest });
}
worst.sort((a, b) => b.ms - a.ms);
for (const { input, probe, ms } of worst.slice(0, 5))
  process.stderr.write(`  ${ms.toFixed(1)} ms at ${probe} beside ${input}\n`);
await report("waits", [
  { what: "a probe on an idle daemon", measured: spreadOf(idle), unit: "ms" },
  { what: "longest wait beside each hostile input", measured: spreadOf(worst.map(({ ms }) => ms)), unit: "ms" },
  { what: "longest wait of all", measured: spreadOf([worst[0]?.ms ?? Number.NaN]), target: TARGET_MS, atMost: true },
]);

async function probeOnce(): Promise<{ readonly probe: Probe; readonly ms: number }[]> {
  return Promise.all(
    (Object.keys(PROBES) as Probe[]).map(async (probe) => {
      const startedAt = performance.now();
      await PROBES[probe]();
      return { probe, ms: performance.now() - startedAt };
    }),
  );
}

async function askLivez(): Promise<void> {
  await (await fetch(`http://127.0.0.1:${posthorn.adminPort}/livez`)).text();
}

async function askHook(): Promise<void> {
  await (
    await fetch(`http://127.0.0.1:${posthorn.httpPort}/v1/hooks/form/none`, { method: "POST", body: "a=1" })
  ).text();
}

/** The door greets. */
function greet(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(posthorn.port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

async function send(mail: Buffer): Promise<void> {
  using relay = await connectRelay({ host: "127.0.0.1", port: posthorn.port }, { patienceMs: 120_000 });
  await relay.send({ to: posthorn.target, mail });
}
