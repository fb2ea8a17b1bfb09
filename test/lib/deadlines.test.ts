import { expect, test } from "vitest";

import { Deadlines, SLICE_MS } from "../../src/lib/deadlines.ts";
import { collector } from "../../src/engine/shared-garbage.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("those that begin together share a signal, which aborts when their time is over and stays so over collections", async () => {
  const deadlines = new Deadlines(50);
  const signal = deadlines.next();
  expect(deadlines.next()).toBe(signal);
  await pause(SLICE_MS);
  expect(signal.aborted).toBe(false);
  const later = deadlines.next();
  expect(later).not.toBe(signal);
  await pause(SLICE_MS + 100);
  // Nobody has looked at the second one yet.
  collector()();
  expect([signal.aborted, later.aborted]).toEqual([true, true]);
  expect(later.reason).toMatchObject({ name: "TimeoutError" });
});

test("a stop aborts what runs and what begins behind it", async () => {
  const stopping = new AbortController();
  const deadlines = new Deadlines(60_000, stopping.signal);
  const signal = deadlines.next();
  expect(signal.aborted).toBe(false);
  stopping.abort(new Error("stopping"));
  expect(signal.reason).toEqual(new Error("stopping"));
  await pause(SLICE_MS + 10);
  expect(deadlines.next().aborted).toBe(true);
});
