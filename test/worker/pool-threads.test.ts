import { expect, test } from "vitest";

import { READ_LIMITS } from "../../src/daemon/delivery.ts";
import { WorkerPool } from "../../src/worker/pool.ts";

const WISHES = [{ options: { jsonld: "as-sent" as const } }];
const NESTED = Buffer.from(`Content-Type: text/html\r\n\r\n${"<div itemscope><p>\r\n".repeat(20_000)}`);
const ordinary = (number: number) => Buffer.from(`Content-Type: application/json\r\n\r\n{"order":${number}}\r\n`);

const poolOfOne = () =>
  new WorkerPool({
    workers: 1,
    parseTimeoutMs: 10_000,
    maxWaiting: 1_000,
    limits: READ_LIMITS,
    heapMb: 256,
    onRestart: () => undefined,
  });

test("a crowd of ordinary mails, however long it lasts, starts no more threads than the setting says", async () => {
  const counts = new Set<number>();
  await using pool = poolOfOne();
  await pool.read(ordinary(0), WISHES);
  const isOver = Date.now() + 1_500;
  for (let number = 1; Date.now() < isOver; number += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => pool.read(ordinary(number + index), WISHES)));
    counts.add(pool.threads);
  }
  expect([...counts]).toEqual([1]);
});

test("while a hostile mail holds the only thread, an ordinary one gets another, and every one its answer", async () => {
  await using pool = poolOfOne();
  await pool.read(ordinary(0), WISHES);
  const hostile = pool.read(NESTED, WISHES);
  const beside = await Promise.all([1, 2, 3].map((number) => pool.read(ordinary(number), WISHES)));
  expect(beside.map(({ kind }) => kind)).toEqual(["read", "read", "read"]);
  expect(["read", "limit", "parse-timeout"]).toContain((await hostile).kind);
});
