import fc from "fast-check";
import { expect, test } from "vitest";

import { SlidingMinute } from "../../src/lib/sliding-minute.ts";

test("a clock minute that begins makes no room: three within two seconds are one too many", () => {
  const minute = new SlidingMinute();
  const begin = Date.parse("2026-11-25T00:39:00Z");
  expect([-2_000, -1_000, -500, 0, 10_000].map((ms) => minute.tryCount("hook", 2, begin + ms))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(minute.room("hook", 2, begin)).toEqual({ remaining: 0, resetSeconds: 59 });
  expect(minute.tryCount("hook", 2, begin + 59_000)).toBe(true);
  expect(minute.tryCount("hook", 2, begin + 59_500)).toBe(false);
});

test("whenever they come, no minute holds more than the limit, and each key has its own", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }),
      fc.integer({ min: 1, max: 5 }),
      (pauses, limit) => {
        const minute = new SlidingMinute();
        const taken: number[] = [];
        let now = 1_000_000;
        for (const pause of pauses) {
          now += pause;
          if (minute.tryCount("one", limit, now)) taken.push(now);
        }
        for (const [index, at] of taken.entries()) {
          const after = taken[index + limit];
          if (after !== undefined) expect(after - at).toBeGreaterThanOrEqual(60_000);
        }
        expect(minute.tryCount("other", limit, now)).toBe(true);
      },
    ),
  );
});

test("what was counted is gone after 61 seconds at the latest, and the room is told in advance", () => {
  const minute = new SlidingMinute();
  minute.add("key", 5, 10_500);
  expect(minute.room("key", 5, 10_500)).toEqual({ remaining: 0, resetSeconds: 61 });
  expect(minute.isFull("key", 5, 70_999)).toBe(true);
  expect(minute.isFull("key", 5, 71_000)).toBe(false);
  expect(minute.room("key", 5, 71_000)).toEqual({ remaining: 5, resetSeconds: 1 });
});
