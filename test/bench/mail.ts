import { startNatsServer } from "../support/nats-server.ts";
import { fetchPackage, startHaraka } from "./fetch-peers.ts";
import type { Contestant } from "./contestant.ts";
import { ORDER_HOOK, startPeer, startPosthorn } from "./contestant.ts";
import { cpuMsOf } from "./cpu-time.ts";
import { bytesOfAnEvent } from "./event-bytes.ts";
import type { PublishLoad, PublishLoadResult } from "./load/publish.ts";
import type { SmtpLoad, SmtpLoadResult } from "./load/smtp.ts";
import { flagValue } from "./flags.ts";
import type { Row } from "./rounds.ts";
import { generate, interleave, print, ratiosOf, report, spreadOf } from "./rounds.ts";

// Mail, 3.7 KB with JSON-LD, the event acknowledged before 250: Posthorn beside a door that discards, the obvious program
// and Haraka with an equal plugin. Run: npm run bench -- mail [--rounds 5] [--ms 2000] [--no-haraka] [--peers FOLDER] [--only posthorn]
const args = process.argv.slice(2);
const rounds = Number(flagValue("--rounds") ?? 5);
const forMs = Number(flagValue("--ms") ?? 2_000);
// The same for all: by then the compiler has done with the longest program among them.
const WARM_UP_MAILS = 12_000;
const WARM_UP_MS = 60_000;
const only = flagValue("--only");

await using nats = await startNatsServer();
await using opened = new AsyncDisposableStack();
const posthorn = opened.use(await startPosthorn(nats.url, { hooks: [ORDER_HOOK] }));
const contestants: Contestant[] = [posthorn];
if (only === undefined) {
  contestants.push(opened.use(await startPeer("bare", "bare.ts", [], "orders@localhost")));
  contestants.push(opened.use(await startPeer("obvious", "obvious-mail.ts", [nats.url], "orders@localhost")));
  if (!args.includes("--no-haraka")) {
    const haraka = opened.use(await fetchPackage("Haraka@3.3.4", flagValue("--peers")));
    contestants.push(opened.use(await startHaraka(haraka, nats.url)));
  }
}
const ONE_PUBLISH = "one publish at a time";
let firstNumber = 0;
const rows: Row[] = [];
for (const sessions of [20, 1]) {
  const publishMs: number[] = [];
  const names = contestants.map(({ name }) => name);
  const results = await interleave(
    sessions === 1 ? [...names, ONE_PUBLISH] : names,
    rounds,
    async (name, round) => {
      firstNumber += 1_000_000;
      if (name === ONE_PUBLISH) {
        const load: PublishLoad = {
          natsUrl: nats.url,
          inFlight: 1,
          bytes: await bytesOfAnEvent(nats),
          forMs,
          firstNumber,
        };
        const { medianMs } = await generate<PublishLoadResult>("publish.ts", load);
        if (round > 0) publishMs.push(medianMs);
        return undefined;
      }
      const contestant = contestants.find((each) => each.name === name);
      if (contestant === undefined) throw new Error(`no contestant ${name}`);
      const load: SmtpLoad = {
        port: contestant.port,
        sessions,
        recipients: [contestant.target],
        lmtp: false,
        // The first round warms up: a compiler wants thousands of mails, whatever time they take.
        forMs: round > 0 ? forMs : sessions === 1 ? 0 : WARM_UP_MS,
        ...(round === 0 && { mails: WARM_UP_MAILS }),
        firstNumber,
      };
      const cpuBefore = cpuMsOf(contestant.pid);
      const result = await generate<SmtpLoadResult>("smtp.ts", load);
      if (result.refused > 0) throw new Error(`${name} refused ${result.refused}: ${result.firstRefusal}`);
      return { ...result, cpuMicroseconds: ((cpuMsOf(contestant.pid) - cpuBefore) * 1_000) / result.mails };
    },
    `${sessions} sessions, `,
  );
  const measured = (name: string) => (results.get(name) ?? []).filter((result) => result !== undefined);
  const rates = (name: string) => measured(name).map(({ mailsPerSecond }) => mailsPerSecond);
  const times = (name: string) => measured(name).map(({ medianMs }) => medianMs);
  const costs = (name: string) => measured(name).map(({ cpuMicroseconds }) => cpuMicroseconds);
  for (const { name } of contestants) {
    rows.push({
      what: `${name}, ${sessions} sessions, CPU time of a mail`,
      measured: spreadOf(costs(name)),
      unit: "us",
    });
    rows.push({ what: `${name}, ${sessions} sessions`, measured: spreadOf(rates(name)), unit: "mails/s" });
    rows.push({ what: `${name}, ${sessions} sessions, final dot to 250`, measured: spreadOf(times(name)), unit: "ms" });
  }
  const against = (name: string, target: number) =>
    rates(name).length > 0 &&
    rows.push({
      what: `posthorn / ${name}, ${sessions} sessions`,
      measured: ratiosOf(rates("posthorn"), rates(name)),
      target,
    });
  for (const name of ["bare", "obvious", "haraka"])
    if (costs(name).length > 0)
      rows.push({
        what: `CPU time: ${name} / posthorn, ${sessions} sessions`,
        measured: ratiosOf(costs(name), costs("posthorn")),
      });
  if (sessions === 20) against("bare", 0.3);
  against("obvious", sessions === 20 ? 4 : 1.8);
  against("haraka", sessions === 20 ? 6 : 3);
  if (publishMs.length > 0) {
    rows.push({ what: "publish alone, one in flight, until its ack", measured: spreadOf(publishMs), unit: "ms" });
    const most = times("bare").map((ms, round) => ms + 2 * (publishMs[round] ?? Number.NaN));
    if (most.length > 0)
      rows.push({
        what: "final dot to 250: posthorn / (bare + 2 publishes)",
        measured: ratiosOf(times("posthorn"), most),
        target: 1,
        atMost: true,
      });
  }
  if (sessions !== 20 || only !== undefined) continue;
  // Where the generator costs as much as the door, it is the generator that is measured.
  rows.push({
    what: "generator against bare, CPU time of a mail",
    measured: spreadOf(measured("bare").map(({ cpuMicrosecondsPerMail }) => cpuMicrosecondsPerMail)),
    unit: "us",
  });
  // A peer that is slower than it was measured elsewhere makes the run void.
  rows.push({ what: "obvious / bare (void below)", measured: ratiosOf(rates("obvious"), rates("bare")), target: 0.06 });
  if (rates("haraka").length > 0)
    rows.push({
      what: "haraka / bare (void below)",
      measured: ratiosOf(rates("haraka"), rates("bare")),
      target: 0.025,
    });
}
await report("mail", rows);
print("");
