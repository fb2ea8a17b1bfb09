import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Posthorn } from "./contestant.ts";
import { startPosthorn } from "./contestant.ts";
import { cpuMsOf, memoryMbOf } from "./cpu-time.ts";
import { bytesOfAnEvent } from "./event-bytes.ts";
import type { PublishLoad, PublishLoadResult } from "./load/publish.ts";
import type { SmtpLoad, SmtpLoadResult } from "./load/smtp.ts";
import { flagValue } from "./flags.ts";
import type { Row } from "./rounds.ts";
import { generate, interleave, progress, ratiosOf, report, spreadOf } from "./rounds.ts";

// What changes when something grows: recipients, the price of an ack, hooks, events stored, the size of a mail.
// Run: npm run bench -- [lmtp|always|hooks|events|memory …] [--rounds 4] [--ms 1500]
const PARTS = { lmtp, always, hooks, events, memory } as const;
const args = process.argv.slice(2);
const rounds = Number(flagValue("--rounds") ?? 4);
const forMs = Number(flagValue("--ms") ?? 1_500);
const MANY_HOOKS = 10_000;
const MANY_EVENTS = 1_000_000;
const LARGE_BYTES = 25 * 1024 * 1024;
const MEDIUM_BYTES = 256 * 1024;
/** Eight of the largest mails may be in memory at once. */
const BYTES_IN_FLIGHT_MB = 200;
const WARM_UP = { mails: 4_000, forMs: 60_000 } as const;
let lastNumber = 0;

const wanted = (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter((name) => args.includes(name));
for (const name of wanted.length === 0 ? (Object.keys(PARTS) as (keyof typeof PARTS)[]) : wanted)
  await report(name, await PARTS[name]());

/** One mail for ten hooks over LMTP beside ten mails for one. */
async function lmtp(): Promise<Row[]> {
  await using nats = await startNatsServer();
  await using posthorn = await startPosthorn(nats.url, { hooks: hooksOf(10) });
  const all = posthorn.hooks.map(({ address }) => address ?? "");
  const load = (recipients: readonly string[], round: number) =>
    send(posthorn.lmtpPort, { recipients, sessions: 20, lmtp: true, ...timeOf(round) });
  const results = await interleave(["ten", "one"], rounds, (name, round) =>
    load(name === "ten" ? all : all.slice(0, 1), round),
  );
  const eventRates = (name: string, each: number) =>
    (results.get(name) ?? []).map(({ mailsPerSecond }) => mailsPerSecond * each);
  const [ten, one] = [eventRates("ten", 10), eventRates("one", 1)];
  return [
    { what: "LMTP, 10 recipients", measured: spreadOf(ten), unit: "events/s" },
    { what: "LMTP, 1 recipient", measured: spreadOf(one), unit: "events/s" },
    { what: "10 recipients / 10 single mails", measured: ratiosOf(ten, one), target: 3 },
  ];
}

/** A server that syncs before every ack: what publishing alone reaches, and what mail does. */
async function always(): Promise<Row[]> {
  await using nats = await startNatsServer({
    config: 'jetstream { store_dir: "$FOLDER", sync_interval: always }\nmax_payload: 8MB',
  });
  await using posthorn = await startPosthorn(nats.url, { hooks: hooksOf(1) });
  await send(posthorn.port, { recipients: [posthorn.target], sessions: 1, lmtp: false, mails: 1 });
  const eventBytes = await bytesOfAnEvent(nats);
  const results = await interleave(["mail", "publish"], rounds, async (name, round) => {
    if (name === "mail")
      return (await send(posthorn.port, { recipients: [posthorn.target], sessions: 20, lmtp: false, ...timeOf(round) }))
        .mailsPerSecond;
    return (await publish(nats, { inFlight: 20, bytes: eventBytes, forMs })).messagesPerSecond;
  });
  const [mail = [], alone = []] = [results.get("mail"), results.get("publish")];
  return [
    { what: "sync always, mail at 20 sessions", measured: spreadOf(mail), unit: "mails/s" },
    { what: "sync always, publishing alone, 20 in flight", measured: spreadOf(alone), unit: "msg/s" },
    { what: "mail / publishing alone", measured: ratiosOf(mail, alone), target: 0.9 },
  ];
}

/** The same mail with ten hooks installed and with ten thousand. */
async function hooks(): Promise<Row[]> {
  await using few = await startNatsServer();
  await using many = await startNatsServer();
  await using withFew = await startPosthorn(few.url, { hooks: hooksOf(10) });
  await using withMany = await startPosthorn(many.url, { hooks: hooksOf(MANY_HOOKS) });
  // Awaited here: what is `using` ends with this function.
  return await compareCosts("10 hooks", withFew, `${MANY_HOOKS} hooks`, withMany);
}

/** The same mail on an empty stream and behind a million events. */
async function events(): Promise<Row[]> {
  await using empty = await startNatsServer();
  await using full = await startNatsServer();
  await using onEmpty = await startPosthorn(empty.url, { hooks: hooksOf(1) });
  await using onFull = await startPosthorn(full.url, { hooks: hooksOf(1) });
  progress("  filling the stream");
  await publish(full, {
    inFlight: 512,
    bytes: 100,
    messages: Number(flagValue("--events") ?? MANY_EVENTS),
    inBulk: true,
  });
  return await compareCosts("no events stored", onEmpty, "many events stored", onFull);
}

async function compareCosts(firstName: string, first: Posthorn, secondName: string, second: Posthorn): Promise<Row[]> {
  const results = await interleave([firstName, secondName], rounds, async (name, round) => {
    const posthorn = name === firstName ? first : second;
    const cpuBefore = cpuMsOf(posthorn.pid);
    const load = { recipients: [posthorn.target], sessions: 20, lmtp: false, ...timeOf(round) };
    const { mails } = await send(posthorn.port, load);
    return ((cpuMsOf(posthorn.pid) - cpuBefore) * 1_000) / mails;
  });
  const [before = [], after = []] = [results.get(firstName), results.get(secondName)];
  return [
    { what: `CPU time of a mail, ${firstName}`, measured: spreadOf(before), unit: "us" },
    { what: `CPU time of a mail, ${secondName}`, measured: spreadOf(after), unit: "us" },
    { what: `${secondName} / ${firstName}`, measured: ratiosOf(after, before), target: 1.15, atMost: true },
  ];
}

/** One mail of 25 MB, ten one after the other, and ten at once, of which those past the bytes in flight are told to come again. */
async function memory(): Promise<Row[]> {
  await using nats = await startNatsServer();
  const measure = async (sessions: number, mails: number) => {
    await using posthorn = await startPosthorn(nats.url, { hooks: hooksOf(1) });
    // Threads and libraries that are loaded on first use belong to what idles.
    const medium = { recipients: [posthorn.target], sessions: 2, lmtp: false, mails: 4, bytes: MEDIUM_BYTES };
    await send(posthorn.port, medium);
    const idleMb = memoryMbOf(posthorn.pid).now;
    const large = { recipients: [posthorn.target], sessions, lmtp: false, mails, bytes: LARGE_BYTES };
    const { refused } = await send(posthorn.port, large, true);
    return { overIdleMb: memoryMbOf(posthorn.pid).peak - idleMb, refused };
  };
  // A process of its own each time: the most that a process ever had is all that can be asked.
  const one: number[] = [];
  for (let round = 0; round < rounds; round += 1) one.push((await measure(1, 1)).overIdleMb);
  const inTurn = await measure(1, 10);
  const ten = await measure(10, 10);
  const megabytes = LARGE_BYTES / 1024 ** 2;
  return [
    { what: "one mail of 25 MB, peak over idle", measured: spreadOf(one), unit: "MB" },
    {
      what: "one mail of 25 MB, peak over idle / its size",
      measured: spreadOf(one.map((overIdleMb) => overIdleMb / megabytes)),
      target: 3,
      atMost: true,
    },
    { what: "ten in turn, peak over idle", measured: spreadOf([inTurn.overIdleMb]), unit: "MB" },
    { what: "ten at once, peak over idle", measured: spreadOf([ten.overIdleMb]), unit: "MB" },
    {
      what: "ten at once, peak over idle and over the bytes in flight",
      measured: spreadOf([ten.overIdleMb - BYTES_IN_FLIGHT_MB]),
      unit: "MB",
    },
    { what: "ten at once, told to come again", measured: spreadOf([ten.refused]), unit: "mails" },
  ];
}

function hooksOf(count: number): Readonly<Record<string, unknown>>[] {
  const name = (index: number) => `kustomer.app.shop.order${index === 0 ? "" : `.n${index}`}`;
  return Array.from({ length: count }, (_, index) => ({
    eventName: name(index),
    displayEventName: `Order ${index}`,
    type: "email",
  }));
}

/** The first round warms up. */
function timeOf(round: number): { readonly forMs: number; readonly mails?: number } {
  return round === 0 ? WARM_UP : { forMs };
}

async function send(
  port: number,
  load: Omit<SmtpLoad, "port" | "firstNumber">,
  mayRefuse = false,
): Promise<SmtpLoadResult> {
  lastNumber += 1_000_000;
  const result = await generate<SmtpLoadResult>("smtp.ts", { ...load, port, firstNumber: lastNumber });
  if (result.refused > 0 && !mayRefuse) throw new Error(`refused ${result.refused}: ${result.firstRefusal}`);
  return result;
}

function publish(nats: NatsServer, load: Omit<PublishLoad, "natsUrl" | "firstNumber">): Promise<PublishLoadResult> {
  lastNumber += 10_000_000;
  return generate<PublishLoadResult>("publish.ts", { ...load, natsUrl: nats.url, firstNumber: lastNumber });
}
