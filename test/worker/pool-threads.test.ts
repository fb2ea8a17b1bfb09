import { expect, test } from "vitest";

import { createPool } from "../support/worker-pool.ts";

const WISHES = [{ options: { jsonld: "as-sent" as const } }];
const json = (text: string) => Buffer.from(`Content-Type: application/json\r\n\r\n${text}\r\n`);

test("while a mail holds the only thread for long, others get another one, which stays for those to come", async () => {
  await using pool = createPool({ parseTimeoutMs: 60_000, heapMb: 1_024 });
  await pool.read(json('{"order":0}'), WISHES);
  let isOver = false;
  const long = pool.read(json(`[${'{"a":[1,2,3]},'.repeat(300_000)}1]`), WISHES).finally(() => (isOver = true));
  expect(pool.threads).toBe(1);
  while (!isOver) expect((await pool.read(json('{"order":1}'), WISHES)).kind).toBe("read");
  expect((await long).kind).toBe("read");
  expect(pool.threads).toBeGreaterThan(1);
});
