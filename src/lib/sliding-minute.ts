const MINUTE_MS = 60_000;
const MAX_KEYS = 100_000;

interface Count {
  window: number;
  current: number;
  previous: number;
}

/**
 * Counts per key over a sliding minute, from two fixed windows: the current one, and the share of the previous one that
 * is still inside the minute. At most {@link MAX_KEYS} keys are remembered; the oldest go first.
 *
 * Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains", 2017.
 */
export class SlidingMinute {
  readonly #counts = new Map<string, Count>();

  /** Counts one more for `key` unless that would pass `limit`; false when it would. */
  tryCount(key: string, limit: number, now: number): boolean {
    if (this.isFull(key, limit, now)) return false;
    this.add(key, 1, now);
    return true;
  }

  /** Whether one more for `key` would pass `limit`. */
  isFull(key: string, limit: number, now: number): boolean {
    const count = this.#countAt(key, now);
    const share = 1 - (now % MINUTE_MS) / MINUTE_MS;
    return count.current + count.previous * share >= limit;
  }

  add(key: string, amount: number, now: number): void {
    this.#countAt(key, now).current += amount;
  }

  /** How many more fit, and in how many seconds the next window makes room. */
  room(key: string, limit: number, now: number): { readonly remaining: number; readonly resetSeconds: number } {
    const count = this.#countAt(key, now);
    const share = 1 - (now % MINUTE_MS) / MINUTE_MS;
    const remaining = Math.max(0, Math.floor(limit - count.current - count.previous * share));
    return { remaining, resetSeconds: Math.max(1, Math.ceil((MINUTE_MS - (now % MINUTE_MS)) / 1_000)) };
  }

  #countAt(key: string, now: number): Count {
    const window = Math.floor(now / MINUTE_MS);
    let count = this.#counts.get(key);
    if (count === undefined) {
      const [oldest] = this.#counts.keys();
      if (this.#counts.size >= MAX_KEYS && oldest !== undefined) this.#counts.delete(oldest);
      count = { window, current: 0, previous: 0 };
      this.#counts.set(key, count);
    }
    if (count.window !== window) {
      count.previous = count.window === window - 1 ? count.current : 0;
      count.current = 0;
      count.window = window;
    }
    return count;
  }
}
