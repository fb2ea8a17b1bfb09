import { expect, test } from "vitest";

import { Pulse } from "../../src/publish/pulse.ts";

test("one try without an ack makes it silent until a probe succeeds, whatever fails before", async () => {
  const answers: (boolean | Error)[] = [false, new Error("a bug"), true];
  using pulse = new Pulse(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer === true;
  });
  expect(pulse.isSilent).toBe(false);
  pulse.missed();
  pulse.missed();
  expect(pulse.isSilent).toBe(true);
  await expect.poll(() => pulse.isSilent).toBe(false);
  expect(answers).toEqual([]);
});

test("an ack ends the silence at once, and no probe is asked any more", async () => {
  let asked = 0;
  using pulse = new Pulse(async () => (asked += 1) < 0);
  pulse.missed();
  pulse.heard();
  expect(pulse.isSilent).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(asked).toBe(0);
});
