import { expect, test } from "vitest";

import { READ_LIMITS } from "../../src/daemon/delivery.ts";
import { WorkerPool } from "../../src/worker/pool.ts";

const WISHES = [{ options: { jsonld: "as-sent" as const } }];
const json = (text: string) => Buffer.from(`Content-Type: application/json\r\n\r\n${text}\r\n`);

test("while a mail holds the only thread for long, others get another one, which stays for those to come", async () => {
  await using pool = new WorkerPool({
    workers: 1,
    parseTimeoutMs: 60_000,
    maxWaiting: 100,
    limits: READ_LIMITS,
    heapMb: 1_024,
    onRestart: () => undefined,
  });
  await pool.read(json('{"order":0}'), WISHES);
  let isOver = false;
  const long = pool.read(json(`[${'{"a":[1,2,3]},'.repeat(300_000)}1]`), WISHES).finally(() => (isOver = true));
  expect(pool.threads).toBe(1);
  while (!isOver) expect((await pool.read(json('{"order":1}'), WISHES)).kind).toBe("read");
  expect((await long).kind).toBe("read");
  expect(pool.threads).toBeGreaterThan(1);
});
