import { DiscardPolicy, jetstreamManager } from "@nats-io/jetstream";
import { expect, test, vi } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNatsServer } from "../support/nats-server.ts";

// Processes are started and waited for, beside everything else that a busy machine does.
vi.setConfig({ testTimeout: 120_000 });

// Contract §7, the answers that depend on storage, on load and on TLS: each is heard from the running daemon.

const MAIL_FROM = "MAIL FROM:<shop@example.org>";
const EVENTS = "POSTHORN_EVENTS";
const order = (number: number) =>
  `From: shop@example.org\r\nContent-Type: application/json\r\n\r\n{"order":${number}}\r\n`;

/** The answer to one mail on a connection of its own, as a relay that comes back would hear it. */
async function sendOnce(posthorn: TestDaemon, to: string | readonly string[], mail: string): Promise<string> {
  using relay = await posthorn.connectRelay();
  return await relay.send({ to, mail });
}

async function twoHooks(posthorn: TestDaemon): Promise<{ a: string; b: string }> {
  const [a, b] = await posthorn.install([
    { eventName: "kustomer.app.shop.a", type: "email" },
    { eventName: "kustomer.app.shop.b", type: "email" },
  ]);
  return { a: `${a?.hookId}@localhost`, b: `${b?.hookId}@localhost` };
}

test("451 4.3.0 at MAIL and at RCPT while NATS is away, and 250 when it is back, without a restart", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  const { address } = await posthorn.emailHook();
  using open = await posthorn.connectRelay();
  expect(await open.say(MAIL_FROM)).toMatch(/^250 /);
  await nats.kill();
  await expect.poll(() => posthorn.daemon.storage.nats.isConnected()).toBe(false);
  expect(await open.say(`RCPT TO:<${address}>`)).toBe("451 4.3.0 Storage unavailable, please try again");
  expect(await sendOnce(posthorn, address, order(1))).toBe("451 4.3.0 Storage unavailable, please try again");
  await nats.start();
  await expect.poll(() => sendOnce(posthorn, address, order(1)), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
});

test("451 4.3.0 while the registry cannot be read, for an address that nobody knows", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  await posthorn.emailHook();
  const { jsm } = posthorn.daemon.storage;
  await jsm.streams.delete("KV_posthorn_registry");
  expect(await sendOnce(posthorn, `${"0".repeat(25)}1@localhost`, order(1))).toMatch(/^451 4\.3\.0 /);
});

test("451 4.3.0 when no ack comes in time, then at MAIL already, and one event when storage answers again", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats, {}, { deliverMs: 1_000 });
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  nats.pause();
  expect(await relay.send({ to: address, mail: order(1) })).toBe(
    "451 4.3.0 Storage did not confirm in time, please try again",
  );
  expect(await relay.say(MAIL_FROM)).toBe("451 4.3.0 Storage did not confirm in time, please try again");
  nats.resume();
  await expect.poll(() => sendOnce(posthorn, address, order(1)), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
  expect(await storedIn(posthorn, EVENTS)).toHaveLength(1);
});

test("451 4.3.5 when another stream answers; the event stream is made again when that one is gone", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  const { address } = await posthorn.emailHook();
  const connection = await nats.connect();
  const jsm = await jetstreamManager(connection);
  await jsm.streams.delete(EVENTS);
  // The daemon may make the stream again between the two: then it goes once more.
  for (;;) {
    try {
      await jsm.streams.add({ name: "FOREIGN", subjects: ["kustomer.app.>"] });
      break;
    } catch {
      await jsm.streams.delete(EVENTS).catch(() => undefined);
    }
  }
  expect(await sendOnce(posthorn, address, order(1))).toBe("451 4.3.5 Storage misconfigured, please try again");
  await jsm.streams.delete("FOREIGN");
  await expect.poll(() => sendOnce(posthorn, address, order(1)), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
  expect(await storedIn(posthorn, EVENTS)).toHaveLength(1);
  await connection.close();
});

test("451 4.3.5 when the permission to publish is taken away, and 250 when it is given back", async () => {
  const config = (deny: string) =>
    `jetstream { store_dir: "$FOLDER" }\nauthorization { users: [{ user: posthorn, password: posthorn, permissions: { publish: { allow: [">"]${deny} } } }] }`;
  await using nats = await startNatsServer({ config: config("") });
  await using posthorn = await startTestDaemon(nats, {
    POSTHORN_NATS_USER: "posthorn",
    POSTHORN_NATS_PASSWORD: "posthorn",
  });
  const { address } = await posthorn.emailHook();
  const isUp = () => posthorn.daemon.storage.nats.isConnected();
  await nats.restart(config(', deny: ["kustomer.app.>"]'));
  await expect.poll(isUp, { timeout: 20_000 }).toBe(true);
  await expect
    .poll(() => sendOnce(posthorn, address, order(1)), { timeout: 20_000 })
    .toBe("451 4.3.5 Storage misconfigured, please try again");
  await nats.restart(config(""));
  await expect.poll(() => sendOnce(posthorn, address, order(1)), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
});

test("452 4.3.1 when the event stream is full; the same connection goes on", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  const { address } = await posthorn.emailHook();
  const { jsm } = posthorn.daemon.storage;
  const { config } = await jsm.streams.info(EVENTS);
  await jsm.streams.update(EVENTS, { ...config, max_msgs: 1 });
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ to: address, mail: order(1) })).toMatch(/^250 /);
  expect(await relay.send({ to: address, mail: order(2) })).toBe("452 4.3.1 Storage full, please try again");
  await jsm.streams.update(EVENTS, { ...config, max_msgs: -1 });
  expect(await relay.send({ to: address, mail: order(2) })).toMatch(/^250 /);
});

test("one recipient to be tried later makes the SMTP mail 4xx, LMTP answers each; the retry stores only the rest", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  const { a, b } = await twoHooks(posthorn);
  const { jsm } = posthorn.daemon.storage;
  const { config } = await jsm.streams.info(EVENTS);
  // A subject that is full while the other one is not.
  await jsm.streams.update(EVENTS, {
    ...config,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    discard_new_per_subject: true,
  });
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ to: a, mail: order(1) })).toMatch(/^250 /);
  expect(await relay.send({ to: [b, a], mail: order(2) })).toMatch(/^452 4\.3\.1 /);
  using lmtp = await posthorn.connectRelay("lmtp");
  const replies = await lmtp.send({ to: [a, b], mail: order(2) }, 2);
  expect(replies.split("\n").map((reply) => reply.slice(0, 9))).toEqual(["452 4.3.1", "250 2.0.0"]);
  await jsm.streams.update(EVENTS, { ...config, max_msgs_per_subject: -1, discard_new_per_subject: false });
  expect(await relay.send({ to: [b, a], mail: order(2) })).toMatch(/^250 2\.0\.0 \S{26} \S{26}$/);
  const subjects = (await storedIn(posthorn, EVENTS)).map(({ subject }) => subject.slice(-1)).sort();
  expect(subjects).toEqual(["a", "a", "b"]);
});

test("451 4.3.2 when the bytes in flight have no room: before DATA for an announced size, after it for a silent one", async () => {
  await using nats = await startNatsServer();
  // Eight of the largest mails may be in memory at once.
  await using posthorn = await startTestDaemon(nats, { POSTHORN_MAX_MESSAGE_BYTES: "10000" });
  const { address } = await posthorn.emailHook();
  const holders = await Promise.all(Array.from({ length: 8 }, () => posthorn.connectRelay()));
  for (const holder of holders) {
    await holder.say(MAIL_FROM);
    await holder.say(`RCPT TO:<${address}>`);
    await holder.say("DATA");
    holder.socket.write(`Subject: held\r\n\r\n${"x".repeat(9_000)}\r\n`);
  }
  await expect.poll(() => posthorn.daemon.mail.admission.bytes.used).toBeGreaterThan(72_000);
  using relay = await posthorn.connectRelay();
  await relay.say(`${MAIL_FROM} SIZE=9500`);
  await relay.say(`RCPT TO:<${address}>`);
  expect(await relay.say("DATA")).toBe("451 4.3.2 Too much in flight, please try again");
  await relay.say("RSET");
  const mail = `Subject: big\r\n\r\n${"x".repeat(9_500)}\r\n`;
  expect(await relay.send({ to: address, mail })).toBe("451 4.3.2 Too much in flight, please try again");
  for (const holder of holders) holder[Symbol.dispose]();
  await expect.poll(() => sendOnce(posthorn, address, mail)).toMatch(/^250 2\.0\.0 /);
});

test("the size that our own side announced is kept free for it: of ten large mails at once those that fit are taken", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats, { POSTHORN_MAX_MESSAGE_BYTES: "10000" });
  const { address } = await posthorn.emailHook();
  const relays = await Promise.all(Array.from({ length: 10 }, () => posthorn.connectRelay()));
  const answers: string[] = [];
  for (const relay of relays) {
    await relay.say(`${MAIL_FROM} SIZE=9900`);
    await relay.say(`RCPT TO:<${address}>`);
    answers.push((await relay.say("DATA")).slice(0, 9));
  }
  expect(answers).toEqual([...Array.from({ length: 8 }, () => "354 End d"), "451 4.3.2", "451 4.3.2"]);
  for (const [index, relay] of relays.slice(0, 8).entries()) {
    // A mail may turn out larger than it was announced.
    relay.socket.write(`Message-ID: <${index}@x>\r\n\r\n${"x".repeat(index * 200)}\r\n`);
    expect(await relay.say(".")).toMatch(/^250 2\.0\.0 /);
  }
  expect(posthorn.daemon.mail.admission.bytes.used).toBe(0);
  for (const relay of relays) relay[Symbol.dispose]();
}, 60_000);

test("530 5.7.0 in the clear where TLS is required", async () => {
  await using folder = await temporaryFolder();
  const files = await writeCertificate(folder.path, makeCertificate("localhost"));
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats, { ...files, POSTHORN_TLS_REQUIRED: "true" });
  using relay = await posthorn.connectRelay();
  expect(await relay.say(MAIL_FROM)).toBe("530 5.7.0 Must issue a STARTTLS command first");
});

test("every stream and bucket that somebody deletes is made again, and mail that needs it is taken again", async () => {
  await using nats = await startNatsServer();
  await using posthorn = await startTestDaemon(nats);
  const { address } = await posthorn.emailHook();
  const { jsm } = posthorn.daemon.storage;
  for (const gone of ["POSTHORN_DEAD_LETTERS", "POSTHORN_REFUSED", "KV_posthorn_unfinished", "OBJ_posthorn_objects"])
    await jsm.streams.delete(gone);
  const words = "From: shop@example.org\r\n\r\nJust words: a dead letter, with its mail as an object.\r\n";
  expect(await sendOnce(posthorn, address, words)).toMatch(/^(451 4\.3\.5|250) /);
  await expect.poll(() => sendOnce(posthorn, address, words)).toMatch(/^250 2\.0\.0 /);
  expect(await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).toHaveLength(1);
  await expect.poll(async () => (await jsm.streams.names("").next()).sort()).toContain("POSTHORN_REFUSED");
});
