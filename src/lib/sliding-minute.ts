import { makeRoom } from "./make-room.ts";

const SECOND_MS = 1_000;
const MINUTE_SECONDS = 60;
const MAX_KEYS = 100_000;

/** How many were counted in each second that the minute still holds, oldest first. */
type Seconds = { readonly at: number; count: number }[];

/**
 * Counts per key over a sliding minute, in slots of a second: the oldest slot counts until all of it is a minute old, so
 * that no minute ever holds more than the limit. At most {@link MAX_KEYS} keys are remembered; the oldest go first.
 */
export class SlidingMinute {
  readonly #counts = new Map<string, Seconds>();

  /** Counts one more for `key` unless that would pass `limit`; false when it would. */
  tryCount(key: string, limit: number, now: number): boolean {
    if (this.isFull(key, limit, now)) return false;
    this.add(key, 1, now);
    return true;
  }

  /** Whether one more for `key` would pass `limit`. */
  isFull(key: string, limit: number, now: number): boolean {
    return totalOf(this.#secondsAt(key, now)) >= limit;
  }

  add(key: string, amount: number, now: number): void {
    const seconds = this.#secondsAt(key, now) ?? this.#remember(key);
    const at = Math.floor(now / SECOND_MS);
    const last = seconds.at(-1);
    if (last?.at === at) last.count += amount;
    else seconds.push({ at, count: amount });
  }

  /** How many more fit now, and in how many seconds the next place is free. */
  room(key: string, limit: number, now: number): { readonly remaining: number; readonly resetSeconds: number } {
    const seconds = this.#secondsAt(key, now);
    const oldest = seconds?.[0]?.at ?? Math.floor(now / SECOND_MS) - MINUTE_SECONDS;
    const freeAt = (oldest + MINUTE_SECONDS + 1) * SECOND_MS;
    return {
      remaining: Math.max(0, Math.floor(limit - totalOf(seconds))),
      resetSeconds: Math.max(1, Math.ceil((freeAt - now) / SECOND_MS)),
    };
  }

  /** What the last minute holds of `key`, after slots that are older have gone. */
  #secondsAt(key: string, now: number): Seconds | undefined {
    const seconds = this.#counts.get(key);
    if (seconds === undefined) return undefined;
    const oldest = Math.floor(now / SECOND_MS) - MINUTE_SECONDS;
    while (seconds[0] !== undefined && seconds[0].at < oldest) seconds.shift();
    return seconds;
  }

  #remember(key: string): Seconds {
    makeRoom(this.#counts, MAX_KEYS);
    const seconds: Seconds = [];
    this.#counts.set(key, seconds);
    return seconds;
  }
}

function totalOf(seconds: Seconds | undefined): number {
  let total = 0;
  for (const { count } of seconds ?? []) total += count;
  return total;
}
