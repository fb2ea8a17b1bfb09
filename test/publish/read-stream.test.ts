import { afterAll, beforeAll, expect, test } from "vitest";

import { readBackwards, readForwards, sequenceAt } from "../../src/publish/read-stream.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";

const STREAM = "POSTHORN_EVENTS";
const ENTRIES = 1_200;
const RARE = "kustomer.app.rare";

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
  const { js } = posthorn.daemon.storage;
  const subjectOf = (number: number) => (number % 400 === 7 ? RARE : "kustomer.app.common");
  const numbers = Array.from({ length: ENTRIES }, (_, index) => index + 1);
  for (let at = 0; at < ENTRIES; at += 200)
    await Promise.all(numbers.slice(at, at + 200).map((number) => js.publish(subjectOf(number), `{"n":${number}}`)));
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const wish = { stream: STREAM, before: undefined, limit: 50, patienceMs: 30_000 };
const sequences = (page: { readonly entries: readonly { readonly sequence: number }[] }) =>
  page.entries.map(({ sequence }) => sequence);

test("pages going back in time hold every entry once, newest first", async () => {
  const { storage } = posthorn.daemon;
  const seen: number[] = [];
  let before: number | undefined;
  for (;;) {
    const page = await readBackwards(storage, { ...wish, before, limit: 170 });
    seen.push(...sequences(page));
    if (page.next === null) break;
    before = page.next;
  }
  expect(seen).toEqual(Array.from({ length: ENTRIES }, (_, index) => ENTRIES - index));
});

test("entries of a rare subject are found wherever they stand", async () => {
  const { storage } = posthorn.daemon;
  const all = await readBackwards(storage, { ...wish, subjects: [RARE] });
  expect(all.entries.map(({ subject }) => subject)).toEqual([RARE, RARE, RARE]);
  expect(all.next).toBeNull();
  const one = await readBackwards(storage, { ...wish, subjects: [RARE], limit: 1, before: all.entries[0]?.sequence });
  expect(sequences(one)).toEqual([all.entries[1]?.sequence]);
});

test("a search that runs out of patience says where to go on", async () => {
  const { storage } = posthorn.daemon;
  const accepts = ({ text }: { readonly text: string }) => text === '{"n":1}';
  const first = await readBackwards(storage, { ...wish, accepts, patienceMs: 0 });
  expect(first.entries).toEqual([]);
  expect(first.lookedAt).toBeGreaterThan(0);
  expect(first.next).toBeLessThan(ENTRIES);
  const rest = await readBackwards(storage, { ...wish, accepts, before: first.next ?? 0 });
  expect(rest.entries).toHaveLength(1);
});

test("a whole stream is read once from its beginning, and a moment is found in it", async () => {
  const { jsm } = posthorn.daemon.storage;
  const all = await Array.fromAsync(readForwards(jsm, STREAM));
  expect(sequences({ entries: all })).toEqual(Array.from({ length: ENTRIES }, (_, index) => index + 1));
  expect(await sequenceAt(jsm, STREAM, new Date(0))).toBe(1);
  expect(await sequenceAt(jsm, STREAM, new Date(Date.now() + 60_000))).toBeUndefined();
});
