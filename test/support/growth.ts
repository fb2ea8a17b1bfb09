import { expect, test } from "vitest";

import { TEXT_FAMILIES } from "./text-families.ts";

/** Work of which it is asked how its time grows with what it gets. */
export interface Subject {
  readonly name: string;
  run(text: string): unknown;
  /** Places for a hostile text inside an innocent one; by default it stands alone. */
  readonly around?: readonly ((text: string) => string)[];
}

/** What took longer than it may. */
interface Growth {
  /** Of two sizes: 1 is linear, 2 quadratic. */
  readonly exponent: number;
  /** CPU time of the smaller and the larger one, milliseconds. */
  readonly times: readonly [number, number];
}

const SIZES = [64 * 1024, 256 * 1024, 1024 * 1024] as const;
const STEP = 4;
/** Above it, time grows faster than what was sent. */
const MAX_EXPONENT = 1.6;
/**
 * Below it, times say more about the machine than about the work. Work that is quadratic passes it at 256 KB by far: even
 * the fastest search of the rest of a text, from every hundredth place of it on, takes ten times as long.
 */
const FLOOR_MS = 1;
/** So much work shows how it grows: a larger text would only take longer. */
const ENOUGH_MS = 6;
/** What looks steep is measured by the thread's CPU time, which the kernel counts in steps of some milliseconds. */
const LEAST_CPU_MS = 20;
const ROUNDS = 3;
/** Nobody has to look twice. */
const PLAINLY_SLOW_MS = 1_000;

/** One test for each subject: no family of hostile texts, alone or inside an innocent one, costs it steep time. */
export function testGrowth(subjects: readonly Subject[]): void {
  const cases = subjects.map((subject) => [subject.name, subject] as const);
  test.each(cases)("%s", { timeout: 300_000 }, async (_, subject) => {
    const steep: string[] = [];
    for (const [index, place] of (subject.around ?? [(text: string) => text]).entries())
      for (const family of TEXT_FAMILIES) {
        const { name } = family;
        const growth = await steepGrowthOf(subject, (size) => place(family.make(size)));
        if (growth !== undefined)
          steep.push(
            `${name} at place ${index}: ${growth.exponent.toFixed(2)}, ${growth.times.map(Math.round).join(", ")} ms`,
          );
      }
    expect(steep).toEqual([]);
  });
}

/**
 * The growth over texts of 64 KB, 256 KB and 1 MB where it is steep. A glance lets most of them through; the rest is measured
 * again by CPU time, the best of three, so that it does not matter what else the machine does.
 */
async function steepGrowthOf(subject: Subject, make: (size: number) => string): Promise<Growth | undefined> {
  // A glance that somebody else's work made longer would hide what comes after it.
  const first = make(SIZES[0]);
  let before = Math.min(await glanceAt(subject, first), await glanceAt(subject, first));
  for (const [index, size] of SIZES.entries()) {
    if (index === 0) continue;
    const text = make(size);
    const last = await glanceAt(subject, text);
    if (exponentOf(before, last) > MAX_EXPONENT) {
      const times = await cpuTimesOf(subject, make(SIZES[index - 1] ?? 0), text);
      if (exponentOf(...times) > MAX_EXPONENT) return { exponent: exponentOf(...times), times };
    }
    if (last < FLOOR_MS || last > ENOUGH_MS) return undefined;
    before = last;
  }
  return undefined;
}

function exponentOf(before: number, last: number): number {
  return Math.log(Math.max(last, FLOOR_MS) / Math.max(before, FLOOR_MS)) / Math.log(STEP);
}

/** By the clock, or by CPU time where somebody else had the core meanwhile. */
async function glanceAt(subject: Subject, text: string): Promise<number> {
  const startedAt = performance.now();
  const started = process.threadCpuUsage();
  await done(subject, text);
  const { user, system } = process.threadCpuUsage(started);
  return Math.min(performance.now() - startedAt, (user + system) / 1_000);
}

/** The best of three, but for what is not steep after all. */
async function cpuTimesOf(subject: Subject, smaller: string, larger: string): Promise<[number, number]> {
  let best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [before, last] = [await cpuTimeOf(subject, smaller), await cpuTimeOf(subject, larger)];
    best = [Math.min(best[0], before), Math.min(best[1], last)];
    if (exponentOf(...best) <= MAX_EXPONENT || last > PLAINLY_SLOW_MS) break;
  }
  return best;
}

/** Repeated until the clock can tell. */
async function cpuTimeOf(subject: Subject, text: string): Promise<number> {
  const started = process.threadCpuUsage();
  for (let times = 1; ; times += 1) {
    await done(subject, text);
    const { user, system } = process.threadCpuUsage(started);
    const ms = (user + system) / 1_000;
    if (ms >= LEAST_CPU_MS) return ms / times;
  }
}

async function done(subject: Subject, text: string): Promise<void> {
  try {
    await subject.run(text);
  } catch {
    // Saying no is an answer, too; only its time counts here.
  }
}
