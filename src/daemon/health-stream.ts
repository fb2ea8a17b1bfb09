import { inBytes } from "../lib/in-bytes.ts";
import { durabilityOf } from "../nats/durability.ts";
import type { StreamFacts } from "../nats/stream-facts.ts";
import type { HealthCheck } from "./health.ts";

const ALMOST_FULL = 0.9;
/** An event above moves to the Object Store: with less room than that, some are refused already. */
const LARGEST_EVENT_BYTES = 256 * 1024;
const FEW_DAYS = 7;
const HOURS_PER_DAY = 24;
const MS_PER_HOUR = 3_600_000;
/** Server memory for each id in the window: measured 175 to 250 bytes (field notes, "Durability"). */
const BYTES_PER_REMEMBERED_ID = 250;
const MUCH_DEDUPE_BYTES = 1024 ** 3;

/** How full a stream is, and when it will be full if it goes on as in the last hour. */
export function fillCheck(facts: StreamFacts): HealthCheck {
  const { stream, messages, bytes, limitBytes, limitName } = facts;
  const name = `stream ${stream}`;
  const rate =
    facts.lastHour === undefined ? "how many in the last hour is not known" : `${facts.lastHour} in the last hour`;
  if (limitBytes === undefined)
    return {
      name,
      ok: true,
      detail: `${messages} messages, ${inBytes(bytes)}, ${rate}; no limit of its own, nor of the account: the server's disk ends it. Set max_bytes on the stream, or max_file for the account, to be warned here`,
    };
  const share = bytes / limitBytes;
  const start = `${messages} messages, ${percent(share)} of ${inBytes(limitBytes)} (${limitName}), ${rate}`;
  const outlook = outlookOf(facts, limitBytes);
  const advice = ". Give it more room (nats stream edit), keep events for less time, or see who sends so much";
  if (limitBytes - bytes < LARGEST_EVENT_BYTES && !facts.discardsOld)
    return { name, ok: false, detail: `${start}: full, mail gets 452 4.3.1${advice}` };
  const isSoon = share >= ALMOST_FULL || outlook.daysLeft < FEW_DAYS;
  return {
    name,
    ok: true,
    ...(isSoon && { warning: true }),
    detail: `${start}; ${outlook.words}${isSoon ? advice : ""}`,
  };
}

/** Days until a stream that may take so many bytes is full at the rate of the last hour. */
export function daysLeftOf(facts: StreamFacts, limitBytes: number): number {
  return facts.bytes >= limitBytes ? 0 : outlookOf(facts, limitBytes).daysLeft;
}

function outlookOf(
  { messages, bytes, lastHour, maxAgeMs, discardsOld }: StreamFacts,
  limitBytes: number,
): { readonly words: string; readonly daysLeft: number } {
  const never = (words: string) => ({ words, daysLeft: Infinity });
  if (discardsOld) return never("the oldest go first when it is full");
  if (lastHour === undefined) return never("so when it is full is not known either");
  if (lastHour === 0 || messages === 0) return never("at this rate it never fills");
  const bytesPerHour = (lastHour * bytes) / messages;
  const settlesAt = maxAgeMs === undefined ? Infinity : (bytesPerHour * maxAgeMs) / MS_PER_HOUR;
  if (settlesAt < limitBytes)
    return never(`at this rate age ends it first, at about ${percent(settlesAt / limitBytes)}`);
  const daysLeft = Math.max(0, limitBytes - bytes) / bytesPerHour / HOURS_PER_DAY;
  return { words: `at this rate full in ${inDays(daysLeft)}`, daysLeft };
}

/** What an ack of the event stream is worth, in words. */
export function durabilityCheck(...of: Parameters<typeof durabilityOf>): HealthCheck {
  const { words, advice, isPoor } = durabilityOf(...of);
  return {
    name: "durability",
    ok: true,
    ...(isPoor && { warning: true }),
    detail: advice === undefined ? words : `${words}. To do: ${advice}`,
  };
}

/** What the deduplication window costs the server in memory: now, and when the rate of the last hour fills it. */
export function dedupeCheck({ lastHour, inWindow, windowMs }: StreamFacts): HealthCheck {
  if (lastHour === undefined || inWindow === undefined)
    return { name: "dedup memory", ok: true, detail: "how many ids the server remembers could not be counted in time" };
  const now = inWindow * BYTES_PER_REMEMBERED_ID;
  const filled = Math.round((lastHour * windowMs) / MS_PER_HOUR) * BYTES_PER_REMEMBERED_ID;
  const isMuch = Math.max(now, filled) >= MUCH_DEDUPE_BYTES;
  return {
    name: "dedup memory",
    ok: true,
    ...(isMuch && { warning: true }),
    detail: `the server remembers ${inWindow} ids for ${inDays(windowMs / MS_PER_HOUR / HOURS_PER_DAY)}, about ${inBytes(now)}; ${inBytes(filled)} when the rate of the last hour goes on${isMuch ? ". Give nats-server that memory, or shorten duplicate_window on the stream: a repeat after it is a second event" : ""}`,
  };
}

const percent = (share: number) => `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;

function inDays(days: number): string {
  if (days >= 2) return `${Math.floor(days)} days`;
  const hours = days * HOURS_PER_DAY;
  return hours >= 1 ? `${Math.floor(hours)} hours` : `${Math.max(1, Math.round(hours * 60))} minutes`;
}
