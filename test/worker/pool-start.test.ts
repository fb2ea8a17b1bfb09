import { expect, test } from "vitest";

import { createPool } from "../support/worker-pool.ts";

test("a mail that comes while the threads still start is read like any other", async () => {
  await using pool = createPool();
  expect(pool.threads).toBe(0);
  const mail = Buffer.from('Content-Type: application/json\r\n\r\n{"a":1.10}\r\n');
  expect(await pool.read(mail, [{ options: { jsonld: "as-sent" } }])).toMatchObject({
    kind: "read",
    choices: [{ kind: "payload", value: '{"a":1.10}' }],
  });
}, 60_000);

test("threads start when told, or with the first job, and only once", async () => {
  await using pool = createPool({ workers: 2 });
  pool.start();
  expect(pool.threads).toBe(2);
  await pool.read(Buffer.from("Subject: words\r\n\r\nJust words.\r\n"), []);
  pool.start();
  expect(pool.threads).toBe(2);
});
