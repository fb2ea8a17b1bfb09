import { expect, test, vi } from "vitest";

import { mailStages, publishOn } from "../../src/daemon/delivery.ts";
import { replayDeadLetter } from "../../src/daemon/replay.ts";
import { readSettings } from "../../src/config/settings.ts";
import { readDeadLetters } from "../../src/publish/dead-letters.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { windowPassed } from "../support/duplicate-window.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";
import { createTestEngine } from "../support/engine.ts";

// Processes are started and waited for, beside everything else that a busy machine does.
vi.setConfig({ testTimeout: 120_000 });

const WORDS = "From: shop@example.org\r\n\r\nJust words.\r\n";

/** As the command does it, for every letter of the shop. */
async function replayAll({ daemon }: TestDaemon): Promise<string[]> {
  const { storage } = daemon;
  const settings = readSettings({});
  await using engine = createTestEngine();
  const publish = publishOn(storage, undefined);
  const stages = mailStages({ storage, settings, publish, engine, log: silentLog, env: {} });
  const results: string[] = [];
  for (const found of await Array.fromAsync(readDeadLetters(storage.jsm)))
    if (found.letter.app === "shop") results.push((await replayDeadLetter(storage, stages, found)).kind);
  return results;
}

const counts = async (posthorn: TestDaemon) => ({
  events: (await storedIn(posthorn, "POSTHORN_EVENTS")).length,
  letters: (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).filter(({ subject }) => subject.includes(".shop."))
    .length,
});

test("a replay that was cut off behind its publish makes no second event, however late it is taken up again", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats, { POSTHORN_DEDUPE_WINDOW: "1s" });
  // The window of dead letters is a day; a letter that is written twice must be seen here.
  const { jsm } = posthorn.daemon.storage;
  const { config } = await jsm.streams.info("POSTHORN_DEAD_LETTERS");
  await jsm.streams.update("POSTHORN_DEAD_LETTERS", { ...config, duplicate_window: 1_000_000_000 });
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ to: address, mail: WORDS })).toMatch(/^250 /);
  expect(await counts(posthorn)).toEqual({ events: 0, letters: 1 });

  // Nothing has changed: it is dead again, and still one letter, even past the window.
  await windowPassed(nats, "posthorn.dead.probe.probe");
  expect(await replayAll(posthorn)).toEqual(["dead-again"]);
  expect(await counts(posthorn)).toEqual({ events: 0, letters: 1 });

  // The hook now publishes such mail; what the replay publishes is stored, and the letter is still there: cut off.
  await posthorn.emailHook({ empty: "publish" });
  expect(await relay.send({ to: address, mail: WORDS })).toMatch(/^250 /);
  expect(await counts(posthorn)).toEqual({ events: 1, letters: 1 });
  await windowPassed(nats, "posthorn.dead.probe.probe");
  expect(await replayAll(posthorn)).toEqual(["published"]);
  expect(await counts(posthorn)).toEqual({ events: 1, letters: 0 });
});

test("the release of a form that was cut off behind its publish makes no second event either", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats, { POSTHORN_DEDUPE_WINDOW: "1s" });
  const { jsm, js } = posthorn.daemon.storage;
  const { config } = await jsm.streams.info("POSTHORN_DEAD_LETTERS");
  await jsm.streams.update("POSTHORN_DEAD_LETTERS", { ...config, duplicate_window: 1_000_000_000 });
  const [form] = await posthorn.install([{ eventName: "kustomer.app.shop.form", type: "form" }]);
  const response = await fetch(`http://${posthorn.daemon.http.address}/v1/hooks/form/${form?.hookId}`, {
    method: "POST",
    body: new URLSearchParams({ a: "1", _gotcha: "x" }),
  });
  expect(response.status).toBe(202);
  const [letter] = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  expect(await replayAll(posthorn)).toEqual(["published"]);
  expect(await counts(posthorn)).toEqual({ events: 1, letters: 0 });

  // The letter is still there, as if the daemon had died before it took it away.
  await windowPassed(nats, "posthorn.dead.probe.probe");
  await js.publish(letter?.subject ?? "", letter?.text ?? "");
  expect(await replayAll(posthorn)).toEqual(["published"]);
  expect(await counts(posthorn)).toEqual({ events: 1, letters: 0 });
});

test("a bulk replay on the page looks through the events of a hook once", async () => {
  await using nats = await startNatsServer();
  const token = "a-token-for-this-test";
  await using posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: token });
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  for (let n = 0; n < 4; n += 1)
    expect(await relay.send({ to: address, mail: `X: ${n}\r\n${WORDS}${n}` })).toMatch(/^250 /);
  await posthorn.emailHook({ empty: "publish" });
  const admin = (path: string, init: RequestInit = {}) =>
    fetch(`http://${posthorn.daemon.admin.address}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}` },
      redirect: "manual",
    });
  const sequences = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).map(({ sequence }) => String(sequence));
  expect(sequences).toHaveLength(4);

  // Every reader of the event stream begins with a consumer of its own.
  const connection = await nats.connect();
  const readers: string[] = [];
  connection.subscribe("$JS.EVENT.ADVISORY.CONSUMER.CREATED.POSTHORN_EVENTS.*", {
    callback: (_error, message) => void readers.push(message.subject),
  });
  await connection.flush();
  const body = new URLSearchParams([
    ["do", "replay"],
    ...sequences.map((sequence): [string, string] => ["sequence", sequence]),
  ]);
  const started = await admin("/dead-letters/bulk", { method: "POST", body });
  expect(started.status).toBe(303);
  await expect.poll(() => counts(posthorn), { timeout: 20_000 }).toEqual({ events: 4, letters: 0 });
  expect(readers).toHaveLength(1);
  await connection.close();
});
