import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";

import { expect, test } from "vitest";

import type { MailAnswer, MailJob, Planned } from "../../src/engine/job.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { decodeInPieces } from "../../src/parse/transfer-encoding.ts";
import { createTestEngine } from "../support/engine.ts";
import { jobOf, jsonMail } from "../support/mail-job.ts";

const WISHES = [{ options: { jsonld: "as-sent" as const } }];

async function planned(engine: Engine, job: MailJob): Promise<Planned> {
  const answer = await engine.planMail(job);
  if (answer.kind !== "planned") throw new Error(JSON.stringify(answer));
  answer.release();
  return answer;
}

const payloadOf = ({ plans: [plan] }: Planned): unknown =>
  plan?.kind === "publish"
    ? (JSON.parse(Buffer.from(plan.bytes).toString()) as { data: { payload: unknown } }).data.payload
    : plan;

test("a mail that comes while the threads still start is read like any other", async () => {
  await using engine = createTestEngine();
  expect(engine.threads).toBe(0);
  expect(payloadOf(await planned(engine, jobOf(jsonMail('{"a":1.10}'))))).toEqual({ a: 1.1 });
});

test("each mail that was taken gets its own answer, however many come at once", async () => {
  await using engine = createTestEngine({ maxWaiting: 1_000 });
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => planned(engine, jobOf(jsonMail(JSON.stringify({ index }))))),
  );
  expect(answers.map(payloadOf)).toEqual(Array.from({ length: 200 }, (_, index) => ({ index })));
});

test("past the bound on waiting mails the answer is busy at once, and so it is when the engine is closed", async () => {
  const engine = createTestEngine({ maxWaiting: 1 });
  const running: Promise<MailAnswer>[] = [1, 2, 3].map((value) => engine.planMail(jobOf(jsonMail(String(value)))));
  expect((await Promise.all(running.slice(1))).map(({ kind }) => kind)).toEqual(["busy", "busy"]);
  await engine[Symbol.asyncDispose]();
  expect(await engine.planMail(jobOf(jsonMail("4")))).toEqual({ kind: "busy" });
  await Promise.all(running);
});

test("files come back whole, long ones still in their base64, whether their mail is shared or a copy", async () => {
  await using engine = createTestEngine();
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
    const { objects } = await planned(engine, jobOf(bytes));
    const [long, other] = objects;
    if (long === undefined || other === undefined) throw new Error("an attachment is missing");
    const sha256 = createHash("sha256").update(file).digest("hex");
    expect(long).toMatchObject({ size: file.length, sha256, isEncoded: true });
    expect(Buffer.concat([...decodeInPieces(Buffer.from(long.bytes))]).equals(file)).toBe(true);
    expect(other.isEncoded).toBe(false);
    expect(Buffer.from(other.bytes).equals(Buffer.from("\0\n ".repeat(50_000)))).toBe(true);
  }
});

test("a mail to many tags is planned one delivery at a time, and what they share comes along once", async () => {
  await using engine = createTestEngine();
  const big = jsonMail(JSON.stringify({ text: "x".repeat(300_000) }));
  const job = jobOf(big, { tags: ["a", "b", "c", "d"] });
  const answer = await engine.planMail(job);
  if (answer.kind !== "one-by-one") throw new Error(answer.kind);
  expect(new Set(answer.eventIds).size).toBe(4);
  const seen: { plans: number; objects: number; names: number }[] = [];
  for (const [index, eventId] of answer.eventIds.entries()) {
    const one = await answer.plan(index);
    if (one.kind !== "planned") throw new Error(one.kind);
    const [plan] = one.plans;
    if (plan?.kind !== "publish") throw new Error(plan?.kind);
    expect(plan.eventId).toBe(eventId);
    seen.push({ plans: one.plans.length, objects: one.objects.length, names: plan.objects.length });
    one.release();
  }
  answer.end();
  // The raw mail, its part as a file, and the data of each; the first two were there already for all but the first.
  expect(seen).toEqual([
    { plans: 1, objects: 3, names: 3 },
    { plans: 1, objects: 1, names: 3 },
    { plans: 1, objects: 1, names: 3 },
    { plans: 1, objects: 1, names: 3 },
  ]);
  // Its thread is there for others again.
  expect(payloadOf(await planned(engine, jobOf(jsonMail("5"))))).toBe(5);
});

test("while a mail holds its thread for long, others are read elsewhere, its batch mates too", async () => {
  await using engine = createTestEngine({ parseTimeoutMs: 60_000 });
  await planned(engine, jobOf(jsonMail('{"order":0}')));
  let isOver = false;
  const long = engine.planMail(jobOf(slowMail(400))).finally(() => (isOver = true));
  const mates = Array.from({ length: 20 }, (_, index) => planned(engine, jobOf(jsonMail(String(index)))));
  expect((await Promise.all(mates)).map(payloadOf)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(isOver).toBe(false);
  for (let count = 0; !isOver; count += 1)
    expect(payloadOf(await planned(engine, jobOf(jsonMail(String(count)))))).toBe(count);
  expect((await long).kind).toBe("planned");
});

test("a mail that takes more than its CPU time becomes a dead letter with what its header says; its batch mates are read", async () => {
  const restarts: string[] = [];
  await using engine = createTestEngine({ parseTimeoutMs: 300, onRestart: (why) => restarts.push(why) });
  await untilPlanned(engine, jobOf(jsonMail('{"order":0}')));
  const slow = untilPlanned(engine, jobOf(slowMail(480)));
  const mates = Array.from({ length: 5 }, (_, index) => untilPlanned(engine, jobOf(jsonMail(String(index)))));
  expect((await Promise.all(mates)).map(payloadOf)).toEqual([0, 1, 2, 3, 4]);
  const [plan] = (await slow).plans;
  if (plan?.kind !== "dead-letter") throw new Error(plan?.kind);
  expect(plan.reason.code).toBe("parse-timeout");
  expect(JSON.parse(Buffer.from(plan.bytes).toString())).toMatchObject({
    reason: { code: "parse-timeout" },
    mail: { from: { address: "slow@shop.example" }, subject: "Slow", messageId: "<slow@shop.example>" },
  });
  expect(restarts).toContain("parse-timeout");
});

test.each([
  ["a limit of its parts", `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(1_100)}`],
  ["a header that is too long", `X-Long: ${"x".repeat(300_000)}\r\n\r\n{}`],
])("a mail that passes %s is a dead letter that says who sent what", async (_, rest) => {
  await using engine = createTestEngine();
  const head =
    "From: a@shop.example\r\nSubject: Many\r\nMessage-ID: <many@shop.example>\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n";
  const [plan] = (await planned(engine, jobOf(Buffer.from(head + rest)))).plans;
  if (plan?.kind !== "dead-letter") throw new Error(plan?.kind);
  expect(JSON.parse(Buffer.from(plan.bytes).toString())).toMatchObject({
    reason: { code: "limit-exceeded" },
    mail: {
      from: { address: "a@shop.example" },
      subject: "Many",
      messageId: "<many@shop.example>",
      date: "2026-11-30T10:00:00.000Z",
    },
  });
});

test("many slow mails at once: two have a thread each, the others are stopped and wait; ordinary mail goes on", async () => {
  await using engine = createTestEngine({ parseTimeoutMs: 20_000 });
  await planned(engine, jobOf(jsonMail('{"order":0}')));
  let slowDone = 0;
  const slow = Array.from({ length: 5 }, () =>
    engine.planMail(jobOf(slowMail(450))).then((answer) => {
      slowDone += 1;
      return answer.kind;
    }),
  );
  let ordinary = 0;
  let longest = 0;
  while (slowDone < slow.length) {
    const startedAt = performance.now();
    expect(payloadOf(await planned(engine, jobOf(jsonMail(String(ordinary)))))).toBe(ordinary);
    longest = Math.max(longest, performance.now() - startedAt);
    expect(engine.threads).toBeLessThanOrEqual(6);
    ordinary += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await Promise.all(slow)).toEqual(Array.from({ length: 5 }, () => "planned"));
  expect(ordinary).toBeGreaterThan(10);
});

test("a schema and a report are answered beside mails", async () => {
  await using engine = createTestEngine();
  const [verdict, report] = await Promise.all([
    engine.checkSchema({ type: "object", required: ["a"] }, '{"b":1}' as never),
    engine.report(jsonMail('{"a":1.10}'), WISHES),
  ]);
  expect(verdict.kind).toBe("fails");
  expect(report).toMatchObject({ kind: "read", choices: [{ kind: "payload", value: '{"a":1.10}' }] });
});

test("only a thread that one mail holds for long stands back behind all others, and it takes no ordinary mail afterwards", async () => {
  const niceness = () => new Set(readdirSync("/proc/self/task").map((task) => getPriority(Number(task))));
  const own = getPriority();
  await using engine = createTestEngine({ parseTimeoutMs: 60_000 });
  await planned(engine, jobOf(jsonMail("1")));
  await engine.planMail(jobOf(slowMail(450)));
  expect(niceness()).toEqual(new Set([own, Math.min(own + 10, 19)]));
  expect(getPriority(process.pid)).toBe(own);
  expect(payloadOf(await planned(engine, jobOf(jsonMail("2"))))).toBe(2);
});

/** Where other processes have the cores, a mail is tried later: by wall time, three times its CPU time. */
async function untilPlanned(engine: Engine, job: MailJob): Promise<Planned> {
  for (;;) {
    const answer = await engine.planMail(job);
    if (answer.kind === "planned") return answer;
    expect(["too-slow", "busy"]).toContain(answer.kind);
  }
}

/** Takes about so many milliseconds of CPU time, 480 at most; its cost is honest work. */
function slowMail(ms: number): Buffer {
  const head =
    "From: slow@shop.example\r\nSubject: Slow\r\nMessage-ID: <slow@shop.example>\r\nContent-Type: text/html\r\n\r\n";
  return Buffer.from(`${head}<p itemscope>${'<i itemprop="a">1</i>'.repeat(ms * 100)}</p>`);
}
