import { join } from "node:path";

import { openLedger } from "../faults/support/ledger.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { quantile } from "../support/quantile.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { Books } from "./books.ts";
import type { FaultName, Victims } from "./faults.ts";
import { FAULTS } from "./faults.ts";
import { installWebHook } from "./install.ts";
import { MemoryWatch } from "./memory.ts";
import { chanceOf } from "./random.ts";
import type { Doors, Senders } from "./senders.ts";
import { postRequests, sendMails } from "./senders.ts";
import type { Verdict } from "./stream-reader.ts";
import { StreamReader } from "./stream-reader.ts";

export interface SoakWish {
  readonly seed: number;
  /** How long faults go on, in milliseconds. */
  readonly lastsMs: number;
  /** Answer before the ack, to see that the soak finds it; it then ends as soon as it has. */
  readonly plant: boolean;
  readonly kinds?: readonly FaultName[];
  readonly say: (line: string) => void;
}

/** What a soak has found. Times are milliseconds, memory is bytes. */
export interface SoakReport extends Verdict {
  readonly seed: number;
  readonly sent: number;
  readonly acked: number;
  /** Sent and never accepted, although there was time for it. */
  readonly unsettled: number;
  readonly wrong: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly postponed: Readonly<Record<string, number>>;
  readonly answerMs: { readonly p50: number | undefined; readonly p99: number | undefined };
  /** From the end of a fault to the next 250, by kind of fault: median and longest. */
  readonly recoveryMs: Readonly<Record<string, { readonly p50: number | undefined; readonly longest: number }>>;
  readonly memory: { readonly bytes: number; readonly bytesPerTenMinutes: number | undefined };
  /** When the first loss or double was seen, from the start of the faults. */
  readonly foundAfterMs: number | undefined;
}

const PAUSE_BETWEEN_MS = [200, 2_000] as const;
const DRAIN_MS = 60_000;
const RECOVERY_PATIENCE_MS = 60_000;
const WARM_UP_MS = 300_000;
/** At first a crowd makes the watched replica as large as it will ever be: what it holds more after that is a leak. */
const CROWD = { senders: 20, lastsMs: 240_000 } as const;
const LIE = join(import.meta.dirname, "answer-before-ack.ts");
const GARBAGE = join(import.meta.dirname, "collect-garbage.ts");

/** Two replicas on one NATS, senders of every kind, and one fault after the other, until the time is over. */
export async function soak(wish: SoakWish): Promise<SoakReport> {
  const chance = chanceOf(wish.seed);
  await using nats = await startNatsServer();
  await using proxy = await startTcpProxy(nats.port);
  const [a, b] = [await portsOf("a"), await portsOf("b")];
  const preload = wish.plant ? [LIE] : [];
  const options = { byLauncher: true, preload };
  await using mortal = await startDaemonProcess(proxy.url, envOf(a), options);
  await using lasting = await startDaemonProcess(proxy.url, envOf(b), {
    ...options,
    preload: [...preload, GARBAGE],
  });
  await using ledger = await openLedger(nats);
  const books = new Books();
  const faults: Record<string, number> = { "connection dropped by a sender": 0 };
  const recoveries = new Map<string, number[]>();
  const startedAt = performance.now();
  let foundAfterMs: number | undefined;
  // A mail that was answered too early may be stored in the end, and was lost all the same when it was looked for.
  const everLost = new Set<string>();
  let lateAt = Infinity;
  const isOver = () => performance.now() - startedAt > wish.lastsMs || foundAfterMs !== undefined;
  const senders: Senders = {
    books,
    mailAddress: ledger.address,
    web: await installWebHook(ledger.storage),
    isOver,
    isLate: () => performance.now() > lateAt,
    onDrop: () => (faults["connection dropped by a sender"] = (faults["connection dropped by a sender"] ?? 0) + 1),
  };
  using memory = new MemoryWatch(lasting.pid);
  const running = [a, b].flatMap((doors) => [
    sendMails(false, doors, senders, chance.fork()),
    sendMails(false, doors, senders, chance.fork()),
    sendMails(true, doors, senders, chance.fork()),
    postRequests(doors, senders, chance.fork()),
  ]);
  const crowdEndsAt = startedAt + Math.min(CROWD.lastsMs, wish.lastsMs / 5);
  const crowd = { ...senders, isOver: () => isOver() || performance.now() > crowdEndsAt };
  for (let i = 0; i < CROWD.senders; i += 1) running.push(sendMails(false, b, crowd, chance.fork()));
  const reader = new StreamReader(ledger.storage);
  const { mailAddress } = senders;
  const victims: Victims = { mortal, mortalName: "a", mortalSmtpPort: a.smtpPort, nats, proxy, mailAddress };
  const kinds = wish.kinds ?? (Object.keys(FAULTS) as FaultName[]);
  // Round after round of all kinds, so that each has its turn equally often.
  let round: FaultName[] = [];
  while (!isOver()) {
    await pause(chance.between(...PAUSE_BETWEEN_MS));
    if (round.length === 0) round = chance.shuffled(kinds);
    const kind = round.pop() as FaultName;
    faults[kind] = (faults[kind] ?? 0) + 1;
    const { at, door } = await FAULTS[kind](victims, chance);
    const ended = Promise.all(running).then(() => undefined);
    noteRecovery(kind, at, await Promise.race([books.nextAccepted(door, RECOVERY_PATIENCE_MS), ended]));
    mortal.log = "";
    lasting.log = "";
    const { lost, doubled, mistaken, stored } = await compareSoon(reader, books);
    for (const number of lost) everLost.add(number);
    const story = `${stored} stored, ${books.accepted.size} of ${books.sent} accepted, ${lost.length} lost, ${doubled.length} doubled, ${mistaken.length} mistaken, ${books.wrong.length} wrong`;
    wish.say(`${Math.round((performance.now() - startedAt) / 1_000)} s | ${kind} | ${story}`);
    if (lost.length + doubled.length + mistaken.length + books.wrong.length > 0)
      foundAfterMs = performance.now() - startedAt;
  }
  lateAt = performance.now() + DRAIN_MS;
  await Promise.all(running);
  const verdict = await compareSoon(reader, books);
  return {
    ...verdict,
    lost: [...everLost.union(new Set(verdict.lost))],
    seed: wish.seed,
    sent: books.sent,
    acked: books.accepted.size,
    unsettled: books.sent - books.accepted.size,
    wrong: books.wrong,
    faults,
    postponed: Object.fromEntries(books.postponed),
    answerMs: { p50: quantile(books.latencies, 0.5), p99: quantile(books.latencies, 0.99) },
    recoveryMs: Object.fromEntries(
      [...recoveries].map(([kind, all]) => [kind, { p50: quantile(all, 0.5), longest: Math.max(...all) }]),
    ),
    memory: { bytes: memory.last, bytesPerTenMinutes: memory.slope(Math.min(WARM_UP_MS, wish.lastsMs / 3)) },
    foundAfterMs,
  };

  function noteRecovery(kind: FaultName, healedAt: number, acceptedAt: number | undefined): void {
    if (acceptedAt === undefined) {
      // When the time is over the senders settle what they have and end: behind that nobody is left to be accepted.
      if (!isOver()) books.wrong.push(`nothing was accepted for a minute after: ${kind}`);
    } else recoveries.set(kind, [...(recoveries.get(kind) ?? []), acceptedAt - healedAt]);
  }
}

/** NATS may have been killed a moment ago: asks until it answers. */
async function compareSoon(reader: StreamReader, books: Books): Promise<Verdict> {
  const deadline = performance.now() + RECOVERY_PATIENCE_MS;
  for (;;) {
    try {
      return await reader.compare(books);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(200);
    }
  }
}

async function portsOf(name: string): Promise<Doors> {
  return { name, smtpPort: await freePort(), lmtpPort: await freePort(), httpPort: await freePort() };
}

const envOf = ({ smtpPort, lmtpPort, httpPort }: Doors) => ({
  POSTHORN_LOG_LEVEL: "info",
  POSTHORN_SMTP_LISTEN: `127.0.0.1:${smtpPort}`,
  POSTHORN_LMTP_LISTEN: `127.0.0.1:${lmtpPort}`,
  POSTHORN_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
