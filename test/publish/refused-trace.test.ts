import { expect, test } from "vitest";

import type { Refusal } from "../../src/model/refused-call.ts";
import { RefusedTrace } from "../../src/publish/refused-trace.ts";

const REFUSAL: Refusal = {
  door: "smtp",
  remoteAddress: "192.0.2.1",
  hook: null,
  answer: "550 5.1.1",
  cause: "no-such-hook",
  reason: "No such hook here",
  sender: "a@example.org",
  recipient: "info@hooks.example",
};

function opened() {
  const written: { subject: string; entry: Record<string, unknown> }[] = [];
  const at = { ms: Date.parse("2026-01-01T00:00:00Z"), away: false };
  const trace = new RefusedTrace({
    write: (subject, bytes) => {
      if (!at.away)
        written.push({ subject, entry: JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown> });
      return !at.away;
    },
    now: () => at.ms,
  });
  return { written, at, trace };
}

test("a refusal is written at once on its door's subject, with the time", () => {
  const { written, trace } = opened();
  trace.note(REFUSAL);
  expect(written).toEqual([
    { subject: "posthorn.refused.smtp", entry: { time: "2026-01-01T00:00:00.000Z", ...REFUSAL } },
  ]);
});

test("ten a second of one address are written, the rest is one sum; another address has ten of its own", () => {
  const { written, at, trace } = opened();
  for (let i = 0; i < 25; i += 1) trace.note({ ...REFUSAL, answer: i % 2 === 0 ? "550 5.1.1" : "450 4.7.1" });
  for (let i = 0; i < 3; i += 1) trace.note({ ...REFUSAL, remoteAddress: "192.0.2.2" });
  expect(written).toHaveLength(13);
  at.ms += 1_000;
  trace.note(REFUSAL);
  expect(written).toHaveLength(14);
  at.ms += 59_000;
  trace.flush();
  expect(written.slice(14)).toEqual([
    {
      subject: "posthorn.refused.smtp",
      entry: {
        time: "2026-01-01T00:01:00.000Z",
        since: "2026-01-01T00:00:00.000Z",
        door: "smtp",
        remoteAddress: "192.0.2.1",
        count: 15,
        answers: { "550 5.1.1": 8, "450 4.7.1": 7 },
      },
    },
  ]);
  trace.flush();
  expect(written).toHaveLength(15);
});

test("what is refused while NATS is away is summed, and written when it is back", () => {
  const { written, at, trace } = opened();
  at.away = true;
  for (let i = 0; i < 3; i += 1) trace.note({ ...REFUSAL, answer: "451 4.3.0" });
  trace.flush();
  expect(written).toEqual([]);
  at.away = false;
  trace.flush();
  expect(written.map(({ entry }) => entry["count"])).toEqual([3]);
});

test("however many addresses knock, what is remembered stays bounded and every refusal is counted", () => {
  const { written, at, trace } = opened();
  at.away = true;
  for (let i = 0; i < 12_000; i += 1) trace.note({ ...REFUSAL, remoteAddress: `2001:db8::${i.toString(16)}` });
  at.away = false;
  trace.flush();
  expect(written).toHaveLength(10_001);
  expect(written.find(({ entry }) => entry["remoteAddress"] === "others")?.entry["count"]).toBe(2_000);
});
