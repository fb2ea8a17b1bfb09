/** Chance that a seed decides: the same seed gives the same faults in the same order. */
export interface Chance {
  /** From 0 up to 1. */
  next(): number;
  between(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
  /** The same in another order. */
  shuffled<T>(from: readonly T[]): T[];
  happens(share: number): boolean;
  /** Chance of its own, so that what one asks for does not move what another one gets. */
  fork(): Chance;
}

/** Source: mulberry32, T. Ettinger, public domain. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (least, most) => least + next() * (most - least),
    pick: (from) => from[Math.floor(next() * from.length)] as (typeof from)[number],
    shuffled: (from) =>
      from
        .map((value) => ({ value, order: next() }))
        .toSorted((a, b) => a.order - b.order)
        .map(({ value }) => value),
    happens: (share) => next() < share,
    fork: () => chanceOf(Math.floor(next() * 2 ** 32)),
  };
}
