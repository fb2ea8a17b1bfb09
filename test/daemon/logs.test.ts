import { connect } from "node:net";
import { once } from "node:events";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { recordedLog } from "../support/recorded-log.ts";

// What an operator finds at night: who was refused, which mail of the relay's log became which event, and what runs here.
vi.setConfig({ testTimeout: 60_000 });

let nats: NatsServer;
let posthorn: TestDaemon;
let log: ReturnType<typeof recordedLog>;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats[Symbol.asyncDispose]());
beforeEach(async () => {
  log = recordedLog();
  posthorn = await startTestDaemon(nats, { POSTHORN_TRUSTED_RELAYS: "127.0.0.1" }, { log });
});
afterEach(() => posthorn[Symbol.asyncDispose]());

const linesOf = (sentence: string) => log.lines.filter((line) => line.sentence === sentence);
const order = (id: string) =>
  `Subject: Order\r\nMessage-ID:\r\n <${id}>\r\nContent-Type: application/json\r\n\r\n{"order":1}\r\n`;

test("each mail's line has its own id, its Message-ID, its sender, the relay's queue id and the trace of its events", async () => {
  const [one, two] = await posthorn.install([
    { eventName: "kustomer.app.shop.one", type: "email" },
    { eventName: "kustomer.app.shop.two", type: "email" },
  ]);
  using relay = await posthorn.connectRelay();
  const send = async (ident: string | undefined, mail: string) => {
    if (ident !== undefined) expect(await relay.say(`XFORWARD IDENT=${ident}`)).toMatch(/^250 /);
    await relay.say(`MAIL FROM:<bounce+${one?.hookId}@shop.example>`);
    for (const hook of [one, two]) await relay.say(`RCPT TO:<${hook?.hookId}@localhost>`);
    await relay.say("DATA");
    expect(await relay.say(`${mail}.`)).toMatch(/^250 /);
  };
  await send("4Xk1Zq0Lz9z1", order("first@shop.example"));
  await send(undefined, order("second@shop.example"));
  await send("[UNAVAILABLE]", `Content-Type: text/plain\r\n\r\nMessage-ID: <in-the-body@x>\r\n{"order":3}\r\n`);

  const lines = linesOf("Mail");
  expect(lines.map(({ level }) => level)).toEqual(["info", "info", "info"]);
  const fields = lines.map((line) => line.fields as Record<string, unknown>);
  expect(fields.map(({ messageId }) => messageId)).toEqual(["<first@shop.example>", "<second@shop.example>", null]);
  expect(fields.map(({ queueId }) => queueId)).toEqual(["4Xk1Zq0Lz9z1", undefined, undefined]);
  expect(fields[0]?.["from"]).toBe(`bounce+${one?.hookId.slice(0, 4)}…@shop.example`);
  expect(JSON.stringify(log.lines)).not.toContain(one?.hookId);
  for (const id of ["transactionId", "traceId"]) expect(new Set(fields.map((field) => field[id])).size, id).toBe(3);

  const events = (await storedIn(posthorn, "POSTHORN_EVENTS")).map(
    ({ text }) => JSON.parse(text) as { id: string; traceparent: string },
  );
  for (const field of fields) {
    const outcomes = field["outcomes"] as { eventId: string }[];
    const own = events.filter(({ id }) => outcomes.some(({ eventId }) => eventId === id));
    expect(own).toHaveLength(2);
    expect(own.map(({ traceparent }) => traceparent.split("-")[1])).toEqual([field["traceId"], field["traceId"]]);
    expect(new Set(own.map(({ traceparent }) => traceparent.split("-")[2])).size).toBe(2);
  }
});

test("a refused recipient is a line of its own, and whoever tries very many gets a sum", async () => {
  const { address, hookId } = await posthorn.emailHook({ empty: "reject" });
  using relay = await posthorn.connectRelay();
  await relay.say("MAIL FROM:<ada@example.org>");
  for (let number = 0; number < 30; number += 1)
    // More look-ups in a second than are allowed are refused as well.
    expect(await relay.say(`RCPT TO:<nobody-${number}@localhost>`)).toMatch(/^(?:550 5\.1\.1|450 4\.7\.1) /);
  const lines = linesOf("Refused").filter(({ level }) => level === "info");
  expect(lines).toHaveLength(20);
  expect(lines[0]?.fields).toMatchObject({
    door: "smtp",
    remoteAddress: "127.0.0.1",
    sender: "ada@example.org",
    recipient: "nobody-0@localhost",
    answer: "550 5.1.1",
    cause: "no-such-hook",
  });
  // A mail that came whole has a line already.
  await relay.say("RSET");
  expect(await relay.send({ to: address, mail: "Subject: words\r\n\r\nJust words.\r\n" })).toMatch(/^550 5\.6\.0/);
  expect(linesOf("Refused").filter(({ level }) => level === "info")).toHaveLength(20);
  expect(linesOf("Mail")).toHaveLength(1);
  await posthorn.daemon.stop();
  expect(linesOf("More was refused than is logged one by one").map(({ fields }) => fields)).toEqual([{ count: 10 }]);
  expect(JSON.stringify(log.lines)).not.toContain(hookId);
});

test("a connection that is closed because of its missing PROXY header is a line, the next ones of a minute are counted", async () => {
  const own = recordedLog();
  const env = { POSTHORN_SMTP_PROXY: "required", POSTHORN_TRUSTED_RELAYS: "192.0.2.1" };
  await using behind = await startTestDaemon(nats, env, { log: own });
  const smtp = behind.daemon.mail.doors.find(({ name }) => name === "smtp")?.address ?? "";
  for (let number = 0; number < 3; number += 1) {
    const socket = connect(Number(smtp.split(":").at(-1)), "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "close");
  }
  const told = own.lines.filter(({ sentence }) => sentence === "Connection closed without a reply");
  expect(told.map(({ level, fields }) => [level, fields])).toEqual([
    ["info", { remoteAddress: "127.0.0.1", why: "its address is not in POSTHORN_TRUSTED_RELAYS", count: 1 }],
  ]);
});

test("the start says version, Node and the settings that are no defaults, without secrets; each line says whose it is", async () => {
  await using daemon = await startDaemonProcess(nats.url, {
    POSTHORN_LOG_LEVEL: "info",
    POSTHORN_MAIL_DOMAIN: "hooks.example",
    POSTHORN_ADMIN_TOKEN: "a-token-that-is-secret",
    POSTHORN_NATS_URL: nats.url.replace("nats://", "nats://user:hunter2@"),
  });
  const lines = daemon.log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({
    level: "info",
    msg: "Starting Posthorn",
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    node: process.version,
    settings: {
      POSTHORN_MAIL_DOMAIN: "hooks.example",
      POSTHORN_ADMIN_TOKEN: "…",
      POSTHORN_NATS_URL: nats.url.replace("nats://", "nats://…@"),
      POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
    },
  });
  // What is left at its default is not there.
  expect(lines[0]?.["settings"]).not.toHaveProperty("POSTHORN_REPLICAS");
  expect(daemon.log).not.toMatch(/a-token-that-is-secret|hunter2/);
  for (const line of lines) expect(line["pid"]).toBe(daemon.pid);
});
