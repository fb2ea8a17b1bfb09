import { cpus } from "node:os";

import { startNatsServer } from "../support/nats-server.ts";
import type { Posthorn } from "./contestant.ts";
import { ORDER_HOOK, startPosthorn } from "./contestant.ts";
import { cpuMsOf } from "./cpu-time.ts";
import type { SmtpLoad, SmtpLoadResult } from "./load/smtp.ts";
import { flagValue } from "./flags.ts";
import type { Row } from "./rounds.ts";
import { generate, interleave, ratiosOf, report, spreadOf } from "./rounds.ts";

// Replicas as processes on one nats-server, each with a generator of its own, and whose CPU time a mail takes: what saturates
// first. Run: npm run bench -- replicas [--rounds 3] [--ms 1500]
const rounds = Number(flagValue("--rounds") ?? 3);
const forMs = Number(flagValue("--ms") ?? 1_500);
const COUNTS = [1, 2, 4];
const SESSIONS_OF_EACH = 10;
const WARM_UP_MAILS = 2_000;

/** What some replicas did together. */
interface Together {
  readonly mailsPerSecond: number;
  /** CPU time of a mail, in microseconds. */
  readonly posthorn: number;
  readonly nats: number;
  readonly generators: number;
  /** Of all cores, what these three used; the rest was idle or another program's. */
  readonly share: number;
}

await using nats = await startNatsServer();
await using opened = new AsyncDisposableStack();
const replicas: Posthorn[] = [];
// One after the other, as a roll-out does: the first one makes the streams.
for (let index = 0; index < Math.max(...COUNTS); index += 1)
  replicas.push(opened.use(await startPosthorn(nats.url, { hooks: [ORDER_HOOK] })));
let lastNumber = 0;
const nameOf = (count: number) => (count === 1 ? "1 replica" : `${count} replicas`);
const results = await interleave(COUNTS.map(nameOf), rounds, (name, round) => {
  const count = COUNTS.find((each) => nameOf(each) === name) ?? 1;
  // In the round that warms up each of them has its turn.
  return together(round === 0 ? replicas : replicas.slice(0, count), round === 0);
});
const rows: Row[] = [];
const alone = (results.get(nameOf(1)) ?? []).map(({ mailsPerSecond }) => mailsPerSecond);
for (const count of COUNTS) {
  const measured = results.get(nameOf(count)) ?? [];
  const row = (what: string, unit: string, of: (each: Together) => number) =>
    rows.push({ what: `${nameOf(count)}, ${what}`, measured: spreadOf(measured.map(of)), unit });
  row("events", "events/s", ({ mailsPerSecond }) => mailsPerSecond);
  row("CPU time of a mail, the replicas", "us", ({ posthorn }) => posthorn);
  row("CPU time of a mail, nats-server", "us", ({ nats: used }) => used);
  row("CPU time of a mail, the generators", "us", ({ generators }) => generators);
  row("share of all cores", "%", ({ share }) => share * 100);
  if (count > 1)
    rows.push({
      what: `${nameOf(count)} / ${nameOf(1)}`,
      measured: ratiosOf(
        measured.map(({ mailsPerSecond }) => mailsPerSecond),
        alone,
      ),
    });
}
await report("replicas", rows);

async function together(some: readonly Posthorn[], isWarmUp: boolean): Promise<Together> {
  const used = () => ({ posthorn: some.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0), nats: cpuMsOf(nats.pid) });
  const before = used();
  const startedAt = performance.now();
  const loads = await Promise.all(
    some.map(({ port, target }) => {
      lastNumber += 1_000_000;
      const load: SmtpLoad = {
        port,
        sessions: SESSIONS_OF_EACH,
        recipients: [target],
        lmtp: false,
        firstNumber: lastNumber,
        ...(isWarmUp ? { mails: WARM_UP_MAILS } : { forMs }),
      };
      return generate<SmtpLoadResult>("smtp.ts", load);
    }),
  );
  const wallMs = performance.now() - startedAt;
  const after = used();
  const refused = loads.find((load) => load.refused > 0);
  if (refused !== undefined) throw new Error(`refused ${refused.refused}: ${refused.firstRefusal}`);
  const mails = loads.reduce((sum, load) => sum + load.mails, 0);
  const ofAMail = (ms: number) => (ms * 1_000) / mails;
  const posthornMs = after.posthorn - before.posthorn;
  const natsMs = after.nats - before.nats;
  const generatorsMs = loads.reduce((sum, load) => sum + (load.cpuMicrosecondsPerMail * load.mails) / 1_000, 0);
  return {
    mailsPerSecond: loads.reduce((sum, load) => sum + load.mailsPerSecond, 0),
    posthorn: ofAMail(posthornMs),
    nats: ofAMail(natsMs),
    generators: ofAMail(generatorsMs),
    share: (posthornMs + natsMs + generatorsMs) / (wallMs * cpus().length),
  };
}
