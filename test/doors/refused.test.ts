import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import type { RefusedEntry } from "../../src/publish/refused-calls.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Processes are started and waited for, beside everything else that a busy machine does.
vi.setConfig({ testTimeout: 120_000 });

const MAIN = join(import.meta.dirname, "..", "..", "src", "main.ts");
const run = promisify(execFile);

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const refused = async () =>
  (await storedIn(posthorn, "POSTHORN_REFUSED")).map(({ subject, text }) => ({
    subject,
    entry: JSON.parse(text) as RefusedEntry,
  }));

/** `posthorn refused …` against the same NATS. */
const cli = async (...args: string[]) => {
  const env = { ...process.env, POSTHORN_NATS_URL: nats.url, NO_COLOR: "1" };
  return (await run(process.execPath, [MAIN, "refused", ...args], { env })).stdout;
};

test("who was refused, by which hook and why stands in the stream, and a hook's id does not", async () => {
  const hook = await posthorn.emailHook();
  await posthorn.daemon.storage.registry.setState(hook.eventName, "paused");
  await expect.poll(() => posthorn.daemon.storage.snapshot.hookByEventName(hook.eventName)?.state).toBe("paused");
  using relay = await posthorn.connectRelay();
  await relay.say("MAIL FROM:<shop@example.org>");
  expect(await relay.say("RCPT TO:<info@localhost>")).toMatch(/^550 5\.1\.1 /);
  expect(await relay.say(`RCPT TO:<${hook.address}>`)).toMatch(/^450 4\.2\.1 /);
  await relay.say("RSET");
  expect(await relay.say("MAIL FROM:<big@example.org> SIZE=999999999")).toMatch(/^552 5\.3\.4 /);
  await expect.poll(async () => (await refused()).length).toBe(3);
  const who = { door: "smtp", remoteAddress: "127.0.0.1", sender: "shop@example.org" };
  expect(await refused()).toMatchObject([
    {
      subject: "posthorn.refused.smtp",
      entry: { ...who, hook: null, answer: "550 5.1.1", reason: "No such hook here", recipient: "info@localhost" },
    },
    {
      subject: "posthorn.refused.smtp",
      entry: { ...who, hook: hook.eventName, answer: "450 4.2.1", recipient: `${hook.hookId.slice(0, 4)}…@localhost` },
    },
    { entry: { answer: "552 5.3.4" } },
  ]);
  expect(JSON.stringify(await refused())).not.toContain(hook.hookId);
});

test("the command lists them for people and as JSON, and tail follows from a moment on", async () => {
  const listed = JSON.parse(await cli("list", "--json")) as RefusedEntry[];
  expect(listed.map((entry) => ("answer" in entry ? entry.answer : ""))).toEqual([
    "550 5.1.1",
    "450 4.2.1",
    "552 5.3.4",
  ]);
  expect(await cli("list", "--since", "1h")).toContain("127.0.0.1 <shop@example.org>");
  expect(JSON.parse(await cli("list", "--json", "--door", "http"))).toEqual([]);
  const tailed = await cli("tail", "--since", "1h", "--count", "3", "--json");
  expect(tailed.trim().split("\n")).toHaveLength(3);
});
