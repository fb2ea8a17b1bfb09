import { expect, test } from "vitest";

import { within } from "../../src/lib/within.ts";

test("what comes in time is answered, what is late is undefined, and what fails throws", async () => {
  expect(await within(Promise.resolve(1), 1_000)).toBe(1);
  expect(await within(new Promise(() => undefined), 10)).toBeUndefined();
  await expect(within(Promise.reject(new Error("broken")), 1_000)).rejects.toThrow("broken");
});
