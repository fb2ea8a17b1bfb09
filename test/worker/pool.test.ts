import { expect, test } from "vitest";

import { READ_LIMITS } from "../../src/daemon/delivery.ts";
import { WorkerPool } from "../../src/worker/pool.ts";

const WISHES = [{ options: { jsonld: "as-sent" as const } }];
const json = (value: unknown) => Buffer.from(`Content-Type: application/json\r\n\r\n${JSON.stringify(value)}\r\n`);

function createPool(settings: Partial<ConstructorParameters<typeof WorkerPool>[0]> = {}) {
  return new WorkerPool({
    workers: 1,
    parseTimeoutMs: 10_000,
    maxWaiting: 100,
    limits: READ_LIMITS,
    heapMb: 256,
    onRestart: () => undefined,
    ...settings,
  });
}

test("each mail that was taken gets its answer, however many wait", async () => {
  await using pool = createPool({ workers: 2 });
  const results = await Promise.all(Array.from({ length: 50 }, (_, index) => pool.read(json({ index }), WISHES)));
  const choices = results.map((result) => (result.kind === "read" ? result.choices[0] : undefined));
  expect(choices.map((choice) => (choice?.kind === "payload" ? choice.value : choice))).toEqual(
    Array.from({ length: 50 }, (_, index) => `{"index":${index}}`),
  );
});

test("past the bound on waiting mails the answer is busy at once, and so it is when the pool is closed", async () => {
  const pool = createPool({ maxWaiting: 1 });
  const running = [pool.read(json(1), WISHES), pool.read(json(2), WISHES), pool.read(json(3), WISHES)];
  expect(await running[2]).toEqual({ kind: "busy" });
  await pool[Symbol.asyncDispose]();
  expect(await pool.read(json(4), WISHES)).toEqual({ kind: "busy" });
  await Promise.all(running);
});
