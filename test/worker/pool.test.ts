import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";

import { expect, test } from "vitest";

import { piecesOfAttachment } from "../../src/parse/mail.ts";
import { createPool } from "../support/worker-pool.ts";

const WISHES = [{ options: { jsonld: "as-sent" as const } }];
const json = (value: unknown) => Buffer.from(`Content-Type: application/json\r\n\r\n${JSON.stringify(value)}\r\n`);

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

test("files come back whole from a thread, long ones still in their base64, whether their mail is shared or a copy", async () => {
  await using pool = createPool();
  const file = Buffer.from(Array.from({ length: 1_500_000 }, (_, index) => (index * 7_919) % 256));
  const lines = (text: string) => text.replace(/.{76}/g, "$&\r\n");
  const mail = Buffer.from(
    [
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "--b\r\nContent-Type: application/json\r\n\r\n1",
      `--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines(file.toString("base64"))}`,
      `--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${"=00\n=20".repeat(50_000)}`,
      "--b--\r\n",
    ].join("\r\n"),
  );
  const shared = Buffer.from(new SharedArrayBuffer(mail.length));
  mail.copy(shared);
  for (const bytes of [shared, mail]) {
    const result = await pool.read(bytes, WISHES);
    if (result.kind !== "read") throw new Error(result.kind);
    const [json, long, other] = result.summary.attachments;
    expect([json?.isEncoded, long?.isEncoded, other?.isEncoded]).toEqual([undefined, true, undefined]);
    if (long === undefined || other === undefined) throw new Error("an attachment is missing");
    expect(Buffer.concat([...piecesOfAttachment(long)]).equals(file)).toBe(true);
    expect(long).toMatchObject({ size: file.length, sha256: createHash("sha256").update(file).digest("hex") });
    expect(Buffer.from(other.bytes).equals(Buffer.from("\0\n ".repeat(50_000)))).toBe(true);
  }
});

test("a long hash of shared bytes is a thread's work; of other bytes, and of a closed pool, it is right all the same", async () => {
  const copy = Buffer.from(Array.from({ length: 1_500_000 }, (_, index) => index % 251));
  const bytes = Buffer.from(new SharedArrayBuffer(copy.length));
  copy.copy(bytes);
  const sha256 = createHash("sha256").update(copy).digest("hex");
  const pool = createPool();
  expect(await pool.sha256(copy)).toBe(sha256);
  expect(await pool.sha256(bytes.subarray(0, 1_000))).toBe(
    createHash("sha256").update(copy.subarray(0, 1_000)).digest("hex"),
  );
  expect(pool.threads).toBe(0);
  await pool.read(json(1), WISHES);
  const hashed = pool.sha256(bytes);
  // This thread stands still while the other one reads what lies here no longer.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  bytes.fill(0);
  expect(await hashed).toBe(sha256);
  copy.copy(bytes);
  await pool[Symbol.asyncDispose]();
  expect(await pool.sha256(bytes)).toBe(sha256);
});

test("threads of the pool stand back behind the main thread", async () => {
  await using pool = createPool({ workers: 2 });
  await pool.read(json(1), WISHES);
  const niceness = readdirSync("/proc/self/task").map((task) => getPriority(Number(task)));
  expect(niceness).toContain(Math.min(getPriority() + 5, 19));
  expect(getPriority(process.pid)).toBe(getPriority());
});
