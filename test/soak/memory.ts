import { readFileSync } from "node:fs";

const BUCKET_MS = 10_000;
const BYTES_PER_KB = 1_024;

/** How much memory a process holds over time. */
export class MemoryWatch implements Disposable {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#look(pid), 1_000);
  }

  get last(): number {
    return this.#samples.at(-1)?.bytes ?? 0;
  }

  /**
   * Bytes per ten minutes from `fromMs` on, `undefined` when there is too little to say it: the median of the slopes
   * between the lowest samples of each ten seconds, which a single collection of garbage does not move.
   *
   * Source: P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968.
   */
  slope(fromMs: number): number | undefined {
    const lowest = new Map<number, number>();
    for (const { atMs, bytes } of this.#samples) {
      const bucket = Math.floor(atMs / BUCKET_MS);
      if (atMs >= fromMs) lowest.set(bucket, Math.min(lowest.get(bucket) ?? Infinity, bytes));
    }
    const points = [...lowest];
    if (points.length < 6) return undefined;
    const slopes = points.flatMap(([x, y], index) => points.slice(index + 1).map(([u, v]) => (v - y) / (u - x)));
    const middle = slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
    return (middle * 600_000) / BUCKET_MS;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(pid: number): void {
    try {
      const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      this.#samples.push({ atMs: performance.now() - this.#startedAt, bytes: kilobytes * BYTES_PER_KB });
    } catch {
      // It has ended, or this is no Linux: the report then says that nothing is known.
    }
  }
}
