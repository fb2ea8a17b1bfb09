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
  const ids: string[] = [];
  const at = { ms: Date.parse("2026-01-01T00:00:00Z"), away: false };
  let lastId = 0;
  const trace = new RefusedTrace({
    write: async (subject, bytes, id) => {
      ids.push(id);
      if (!at.away)
        written.push({ subject, entry: JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown> });
      return !at.away;
    },
    newId: () => String((lastId += 1)),
    now: () => at.ms,
  });
  return { written, ids, at, trace };
}

test("a refusal is written at once on its door's subject, with the time", () => {
  const { written, trace } = opened();
  trace.note(REFUSAL);
  expect(written).toEqual([
    { subject: "posthorn.refused.smtp", entry: { time: "2026-01-01T00:00:00.000Z", ...REFUSAL } },
  ]);
});

test("ten a second of one address are written, the rest is one sum; another address has ten of its own", async () => {
  const { written, at, trace } = opened();
  for (let i = 0; i < 25; i += 1) trace.note({ ...REFUSAL, answer: i % 2 === 0 ? "550 5.1.1" : "450 4.7.1" });
  for (let i = 0; i < 3; i += 1) trace.note({ ...REFUSAL, remoteAddress: "192.0.2.2" });
  await trace.flush();
  expect(written).toHaveLength(13);
  at.ms += 1_000;
  trace.note(REFUSAL);
  await trace.flush();
  expect(written).toHaveLength(14);
  at.ms += 59_000;
  trace.sumUp();
  await trace.flush();
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
  trace.sumUp();
  await trace.flush();
  expect(written).toHaveLength(15);
});

test("what cannot be written now, while NATS is away or the store full, is kept and written later with its own time", async () => {
  const { written, ids, at, trace } = opened();
  at.away = true;
  for (let i = 0; i < 3; i += 1) trace.note({ ...REFUSAL, answer: "451 4.3.0", reason: String(i) });
  await trace.flush();
  expect(written).toEqual([]);
  expect(trace.waiting).toBe(3);
  at.ms += 30_000;
  at.away = false;
  await trace.flush();
  expect(written.map(({ entry }) => [entry["reason"], entry["time"]])).toEqual(
    ["0", "1", "2"].map((reason) => [reason, "2026-01-01T00:00:00.000Z"]),
  );
  expect(trace.waiting).toBe(0);
  // A write whose ack was lost is the same message once more.
  expect(new Set(ids).size).toBe(3);
  trace.sumUp();
  await trace.flush();
  expect(written).toHaveLength(3);
});

test("while nothing can be written, one entry at a time finds out whether it works again", async () => {
  const { ids, at, trace } = opened();
  at.away = true;
  for (let i = 0; i < 8; i += 1) trace.note(REFUSAL);
  await trace.flush();
  const before = ids.length;
  for (let round = 0; round < 5; round += 1) await trace.flush();
  expect(ids.length - before).toBe(5);
});

test("however many addresses knock, what is remembered stays bounded and every refusal is counted", async () => {
  const { written, at, trace } = opened();
  at.away = true;
  for (let i = 0; i < 14_000; i += 1) trace.note({ ...REFUSAL, remoteAddress: `2001:db8::${i.toString(16)}` });
  expect(trace.waiting).toBe(2_000);
  at.away = false;
  for (let rounds = 0; rounds < 20; rounds += 1) {
    trace.sumUp();
    await trace.flush();
  }
  const counted = written.reduce((sum, { entry }) => sum + Number(entry["count"] ?? 1), 0);
  expect(counted).toBe(14_000);
  expect(written.find(({ entry }) => entry["remoteAddress"] === "others")?.entry["count"]).toBe(2_000);
});
