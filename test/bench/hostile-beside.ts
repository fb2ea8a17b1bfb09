import { startNatsServer } from "../support/nats-server.ts";
import { quantile } from "../support/quantile.ts";
import { ORDER_HOOK, startPosthorn } from "./contestant.ts";
import type { BesideLoad, BesideResult } from "./load/beside.ts";
import { flagValue } from "./flags.ts";
import type { Spread } from "./rounds.ts";
import { generate, ratiosOf, report, spreadOf } from "./rounds.ts";

// One ordinary mail every tenth of a second, beside hostile mails of every kind on three connections, and beside two
// processes that only burn CPU: what attacks cost is held against what a busy machine costs anyway.
// Run: npm run bench -- hostile [--rounds 4] [--ms 10000]
const rounds = Number(flagValue("--rounds") ?? 4);
const forMs = Number(flagValue("--ms") ?? 10_000);
const WARM_UP_MS = 3_000;
const BURNERS = 2;

await using nats = await startNatsServer();
await using posthorn = await startPosthorn(nats.url, { hooks: [ORDER_HOOK] });
let firstNumber = 0;
const times = { hostile: [] as number[][], burn: [] as number[][] };
let hostileMails = 0;
for (let round = 0; round <= rounds; round += 1) {
  for (const beside of ["burn", "hostile"] as const) {
    firstNumber += 1_000_000;
    const { port, target: to } = posthorn;
    const load = { port, to, firstNumber, forMs: round === 0 ? WARM_UP_MS : forMs };
    const [ordinary, ...others] = await Promise.all(
      (["ordinary", ...Array.from({ length: beside === "burn" ? BURNERS : 1 }, () => beside)] as const).map((kind) =>
        generate<BesideResult>("beside.ts", { ...load, kind } satisfies BesideLoad),
      ),
    );
    if (ordinary === undefined || ordinary.refused.length > 0)
      throw new Error(`ordinary mail was refused: ${ordinary?.refused[0]}`);
    if (round === 0) continue;
    times[beside].push([...ordinary.times]);
    if (beside === "hostile") hostileMails += others[0]?.mails ?? 0;
  }
}
const p99 = (all: readonly number[]) => quantile(all, 0.99) ?? Number.NaN;
const p50 = (all: readonly number[]) => quantile(all, 0.5) ?? Number.NaN;
await report("hostile", [
  { what: "p50 beside two that burn CPU", measured: spreadOf(times.burn.map(p50)), unit: "ms" },
  { what: "p50 beside hostile mails", measured: spreadOf(times.hostile.map(p50)), unit: "ms" },
  { what: "p99 beside two that burn CPU", measured: spreadOf(times.burn.map(p99)), unit: "ms" },
  { what: "p99 beside hostile mails", measured: spreadOf(times.hostile.map(p99)), unit: "ms" },
  {
    what: "p99 beside hostile mails / beside burning, by round",
    measured: ratiosOf(times.hostile.map(p99), times.burn.map(p99)),
    target: 4,
    atMost: true,
  },
  {
    what: "the same over all rounds",
    measured: exactly(p99(times.hostile.flat()) / p99(times.burn.flat())),
    target: 4,
    atMost: true,
  },
  { what: "hostile mails meanwhile", measured: exactly(hostileMails), unit: "mails" },
]);

function exactly(value: number): Spread {
  return { median: value, least: value, most: value };
}
