import { expect, test } from "vitest";

import { Latest } from "../../src/lib/latest.ts";

test("the values that were set last are there, and of the others no more than as many again", () => {
  const latest = new Latest<number>(100);
  for (let i = 0; i < 10_000; i += 1) latest.set(`key-${i}`, i);
  for (let i = 9_900; i < 10_000; i += 1) expect(latest.get(`key-${i}`)).toBe(i);
  const kept = Array.from({ length: 10_000 }, (_, i) => latest.get(`key-${i}`)).filter((value) => value !== undefined);
  expect(kept.length).toBeLessThanOrEqual(200);
});

test("what was set before two turns is forgotten", () => {
  const latest = new Latest<string>(100);
  latest.set("a", "1");
  latest.turn();
  latest.set("b", "2");
  expect(latest.get("a")).toBe("1");
  latest.turn();
  expect(latest.get("a")).toBeUndefined();
  expect(latest.get("b")).toBe("2");
});

test("a key that is set again has its new value", () => {
  const latest = new Latest<string>(2);
  latest.set("a", "old");
  latest.set("b", "1");
  latest.set("c", "2");
  latest.set("a", "new");
  expect(latest.get("a")).toBe("new");
});
