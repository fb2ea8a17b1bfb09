import { afterAll, beforeAll, expect, test } from "vitest";

import { OBJECT_BUCKET, getObject, removeObject } from "../../src/publish/objects.ts";
import type { StoredDeadLetter } from "../../src/publish/dead-letters.ts";
import { readDeadLetters } from "../../src/publish/dead-letters.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

// "Discard" is for good: with the letter its raw mail and its files go, and nothing of any other message.

const TOKEN = "a-token-for-this-test";
let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_ADMIN_TOKEN: TOKEN });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const command = (...args: string[]) => posthornCommand(args, { env: { POSTHORN_NATS_URL: nats.url } });
const words = (number: number, body = "Just words.") =>
  `From: Ada <ada@example.org>\r\nMessage-ID: <${number}@example.org>\r\n\r\n${body}\r\n`;

/** Names of the objects that are there. */
async function objects(): Promise<string[]> {
  const list = await posthorn.daemon.storage.objects.list();
  return list.filter(({ deleted }) => !deleted).map(({ name }) => name);
}

async function letters(): Promise<StoredDeadLetter[]> {
  const found = await Array.fromAsync(readDeadLetters(posthorn.daemon.storage.jsm));
  return found.map(({ letter }) => letter);
}

async function hooks(app: string, options: readonly Record<string, unknown>[]): Promise<string[]> {
  const made = await posthorn.install(
    options.map((one, index) => ({ eventName: `kustomer.app.${app}.h${index}`, type: "email", "x-posthorn": one })),
    app,
  );
  return made.map(({ hookId }) => `${hookId}@localhost`);
}

async function send(to: readonly string[], mail: string): Promise<string[]> {
  using relay = await posthorn.connectRelay();
  await relay.say("MAIL FROM:<ada@example.org>");
  for (const address of to) expect(await relay.say(`RCPT TO:<${address}>`)).toMatch(/^250/);
  await relay.say("DATA");
  const reply = await relay.say(`${mail}.`);
  expect(reply).toMatch(/^250 2\.0\.0 /);
  return reply.split(" ").slice(2);
}

test("a discarded dead letter takes its raw mail along, and another message keeps its own", async () => {
  const [to = ""] = await hooks("alone", [{}]);
  const [first = ""] = await send([to], words(11));
  const [second = ""] = await send([to], words(12));
  const [, other] = await letters();
  expect(await objects()).toHaveLength(2);

  expect((await command("dead", "discard", first)).code).toBe(0);
  expect(await objects()).toEqual([other?.object]);
  expect((await letters()).map(({ id }) => id)).toEqual([second]);
  // Gone are its chunks too.
  const { state } = await posthorn.daemon.storage.jsm.streams.info(`OBJ_${OBJECT_BUCKET}`, {
    subjects_filter: "$O.*.C.>",
  });
  expect(Object.keys(state.subjects ?? {})).toHaveLength(1);

  // By the API as well.
  const [entry] = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  const url = `http://${posthorn.daemon.admin.address}/api/v1/dead-letters/${entry?.sequence}`;
  const answer = await fetch(url, { method: "DELETE", headers: { authorization: `Bearer ${TOKEN}` } });
  expect(answer.ok, `${answer.status}`).toBe(true);
  expect(await objects()).toEqual([]);
});

test("a mail to several hooks is stored once, and its raw mail goes with the last of its dead letters", async () => {
  const [one = "", other = "", event = ""] = await hooks("several", [{}, {}, { empty: "publish" }]);
  const [first = "", second = ""] = await send([one, other, event], words(2));
  expect(await objects()).toHaveLength(1);
  const [raw = ""] = await objects();
  expect(new Set((await letters()).map(({ object }) => object))).toEqual(new Set([raw]));
  expect((await command("dead", "discard", first)).code).toBe(0);
  expect(await objects()).toEqual([raw]);
  // What is left can still be replayed: its raw mail is there.
  expect(await command("dead", "replay", second)).toMatchObject({ stdout: expect.stringContaining("dead-again") });
  expect((await command("dead", "discard", second)).code).toBe(0);
  expect(await objects()).toEqual([]);
});

test("a mail that a relay splits is stored once, too; what an event of it names is another object", async () => {
  const [one = "", other = "", event = ""] = await hooks("split", [{}, {}, { empty: "publish" }]);
  const [first = ""] = await send([one], words(21));
  const [second = ""] = await send([other], words(21));
  await send([event], words(21));
  expect(await objects()).toHaveLength(1);
  expect((await command("dead", "discard", first)).code).toBe(0);
  expect(await objects()).toHaveLength(1);
  expect((await command("dead", "discard", second)).code).toBe(0);
  expect(await objects()).toEqual([]);
});

test("a retry of the same mail finds what is stored; the same words in another mail are another object", async () => {
  const [to = ""] = await hooks("retry", [{}]);
  await send([to], words(3));
  await send([to], words(3));
  expect(await objects()).toHaveLength(1);
  await send([to], words(4));
  expect(await objects()).toHaveLength(2);
  for (const { id } of await letters()) await command("dead", "discard", id);
  expect(await objects()).toEqual([]);
});

test("equal attachments of two mails are two objects, each named by its event", async () => {
  const [to = ""] = await hooks("files", [{ empty: "publish" }]);
  const file = Buffer.alloc(48 * 1024, "x")
    .toString("base64")
    .replace(/.{76}/g, "$&\r\n");
  const mail = (number: number) =>
    `From: a@example.org\r\nMessage-ID: <file-${number}@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${file}\r\n--b--\r\n`;
  await send([to], mail(1));
  await send([to], mail(2));
  const [first = "", second = "", ...more] = await objects();
  expect(more).toEqual([]);
  const { objects: store } = posthorn.daemon.storage;
  await removeObject(store, first);
  expect((await getObject(store, second))?.length).toBe(48 * 1024);
  await removeObject(store, second);
});

test("a form that was taken for spam takes its files along, unless its event names them", async () => {
  const [form] = await posthorn.install([{ eventName: "kustomer.app.spam.ask", type: "form" }], "spam");
  const url = `http://${posthorn.daemon.http.address}/v1/hooks/form/${form?.hookId}`;
  const post = async () => {
    const body = new FormData();
    body.set("_gotcha", "filled");
    body.set("cv", new File(["%PDF"], "cv.pdf", { type: "application/pdf" }));
    expect((await fetch(url, { method: "POST", body })).status).toBe(202);
    const [letter] = await letters();
    return letter?.id ?? "";
  };
  const discarded = await post();
  expect(await objects()).toHaveLength(2);
  expect((await command("dead", "discard", discarded)).code).toBe(0);
  expect(await objects()).toEqual([]);

  // A release that was cut off between its event and the end of the letter: done again here by putting the letter back.
  const released = await post();
  const [entry] = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  expect((await command("dead", "replay", released)).code).toBe(0);
  await posthorn.daemon.storage.js.publish(entry?.subject ?? "", Buffer.from(entry?.text ?? ""));
  expect((await command("dead", "discard", released)).code).toBe(0);
  const [event] = (await storedIn(posthorn, "POSTHORN_EVENTS")).filter(({ text }) => text.includes("spam.ask"));
  const { files } = (JSON.parse(event?.text ?? "{}") as { data: { files: { object: string }[] } }).data;
  expect(await objects()).toContain(files[0]?.object);
});

test("an object of an earlier version, whose name several messages may share, is left until it expires", async () => {
  const [to = ""] = await hooks("old", [{}]);
  const [id = ""] = await send([to], words(5));
  const [entry] = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  const letter = JSON.parse(entry?.text ?? "{}") as StoredDeadLetter;
  const old = `2026-11-25/${"a".repeat(64)}`;
  await posthorn.daemon.storage.objects.putBlob({ name: old }, Buffer.from("shared"));
  const before = { ...letter, id: "0".repeat(26), object: old };
  await posthorn.daemon.storage.js.publish(entry?.subject ?? "", JSON.stringify(before));
  expect((await command("dead", "discard", id, before.id)).code).toBe(0);
  expect(await letters()).toEqual([]);
  expect(await objects()).toContain(old);
});
