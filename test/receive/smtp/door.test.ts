import { BlockList } from "node:net";

import fc from "fast-check";
import { afterEach, expect, test } from "vitest";

import { TRANSACTION_LIMITS } from "../../../src/engine/budgets.ts";
import type { EventName } from "../../../src/model/event-name.ts";
import { hookIdOf } from "../../../src/model/hook-id.ts";
import type { Hook } from "../../../src/model/hook.ts";
import type { ReceivedMail } from "../../../src/model/mail.ts";
import type { EventId, Outcome } from "../../../src/model/outcome.ts";
import { Admission } from "../../../src/receive/admission.ts";
import { ClientLimits } from "../../../src/receive/client-limits.ts";
import type { MailDoorServices, MailDoorSettings } from "../../../src/receive/smtp/door.ts";
import { MailDoor } from "../../../src/receive/smtp/door.ts";
import { silentLog } from "../../support/silent-log.ts";
import type { Relay } from "../../support/relay.ts";
import { connectRelay } from "../../support/relay.ts";

const HOOK_ID = hookIdOf(new Uint8Array(16).fill(7));
const ADDRESS = `${HOOK_ID}@hooks.example`;
const HOOK: Hook = {
  hookId: HOOK_ID,
  app: "shop" as Hook["app"],
  appVersion: "1",
  eventName: "kustomer.app.shop.order" as EventName,
  displayEventName: "Order",
  description: "",
  type: "email",
  state: "enabled",
  aliases: [],
  options: {
    jsonld: "as-sent",
    empty: "dead-letter",
    automatic: "publish",
    authenticate: { require: "none", onFail: "dead-letter" },
    attachments: "store",
    include: ["text"],
    honeypot: "_gotcha",
  },
};
const MAIL = "From: a@example.org\r\n\r\nhello\r\n";
const STORED: Outcome = { kind: "stored", eventId: "0".repeat(26) as EventId, duplicate: false };

const open: { close(graceMs: number): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((door) => door.close(0)));
});

interface Opened {
  readonly door: MailDoor;
  readonly port: number;
  readonly received: ReceivedMail[];
}

/** A door on a free port whose deliveries are collected here; what a mail becomes is the caller's choice. */
async function openDoor(
  settings: Partial<MailDoorSettings> = {},
  services: Partial<MailDoorServices> = {},
): Promise<Opened> {
  const received: ReceivedMail[] = [];
  const door = new MailDoor(
    {
      lmtp: false,
      name: "hooks.example",
      maxMessageBytes: 100_000,
      transactionLimits: TRANSACTION_LIMITS,
      idleTimeoutMs: 5_000,
      transactionTimeoutMs: 10_000,
      softBounce: false,
      tls: undefined,
      implicitTls: false,
      trustedRelays: new BlockList(),
      proxyRequired: false,
      allowedClients: undefined,
      maxPending: 10,
      ...settings,
    },
    {
      isOurDomain: (domain) => domain === "hooks.example",
      hookById: async (hookId) => (hookId === HOOK_ID ? { kind: "hook", hook: HOOK } : { kind: "unknown" }),
      hookByAlias: async () => ({ kind: "unknown" }),
      withinRate: () => true,
      deliver: async (mail) => {
        received.push(mail);
        return { whole: { kind: "taken" }, each: mail.recipients.map(() => STORED) };
      },
      onUnheard: () => undefined,
      whyNotNow: () => undefined,
      login: async () => ({ kind: "wrong" }),
      hasRoom: () => true,
      onRefusal: () => undefined,
      admission: new Admission({ maxConnections: 10, maxBytesInFlight: 1_000_000 }),
      limits: new ClientLimits({
        connections: 10,
        mailsPerMinute: 100,
        bytesPerMinute: 1_000_000,
        unknownPerMinute: 100,
        processes: 1,
      }),
      log: silentLog,
      ...services,
    },
  );
  open.push(door);
  const { port } = await door.listen({ host: "127.0.0.1", port: 0 });
  return { door, port, received };
}

const relayTo = ({ port }: Opened, lmtp = false): Promise<Relay> => connectRelay({ port, host: "127.0.0.1" }, { lmtp });

const trusting127 = () => {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8);
  return list;
};

test("a mail arrives byte for byte with its dots unstuffed, and its reply names the event", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  const mail = "Subject: dots\r\n\r\n.\r\n..\r\n.a\r\nend\r\n";
  expect(await relay.send({ to: ADDRESS, mail })).toBe(`250 2.0.0 ${"0".repeat(26)}`);
  expect(Buffer.from(opened.received[0]?.bytes ?? []).toString()).toBe(mail);
  expect(opened.received[0]?.envelope).toMatchObject({
    from: "shop@example.org",
    protocol: "ESMTP",
    helo: "relay.example.org",
    remoteAddress: "127.0.0.1",
    tls: null,
  });
});

test("any cut of the byte stream into chunks gives the same mail", async () => {
  const opened = await openDoor();
  const line = fc.string({ unit: fc.constantFrom("a", ".", " ", "é"), maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), fc.array(fc.nat(60), { maxLength: 5 }), async (lines, cuts) => {
      opened.received.length = 0;
      using relay = await relayTo(opened);
      const mail = lines.map((text) => `${text}\r\n`).join("");
      await relay.say("MAIL FROM:<a@example.org>");
      await relay.say(`RCPT TO:<${ADDRESS}>`);
      await relay.say("DATA");
      const wire = Buffer.from(`${mail.replace(/^\./gm, "..")}.\r\n`);
      let from = 0;
      for (const cut of [...cuts].sort((a, b) => a - b)) {
        relay.socket.write(wire.subarray(from, Math.max(from, cut)));
        from = Math.max(from, cut);
        await new Promise((resolve) => setImmediate(resolve));
      }
      relay.socket.write(wire.subarray(from));
      expect(await relay.reply()).toMatch(/^250 /);
      expect(Buffer.from(opened.received[0]?.bytes ?? []).toString()).toBe(mail);
    }),
    { numRuns: 60 },
  );
});

for (const [name, ending] of Object.entries({
  "LF.LF": "\n.\n",
  "LF.CRLF": "\n.\r\n",
  "CRLF.LF": "\r\n.\n",
  "CR.CR": "\r.\r",
  "CR.CRLF": "\r.\r\n",
  "CRLF.CR": "\r\n.\rx",
  "CRLF.CRCRLF": "\r\n.\r\r\n",
  "a bare CR": "a\rb",
  "a bare LF": "a\nb",
  "a bare CR far into a long line": `${"x".repeat(400)}\r${"x".repeat(400)}`,
  "a bare LF far into a long line": `${"x".repeat(400)}\n${"x".repeat(400)}`,
})) {
  test(`${name} in the mail of a stranger is smuggling: 550, close, and no second mail`, async () => {
    const opened = await openDoor();
    using relay = await relayTo(opened);
    await relay.say("MAIL FROM:<a@example.org>");
    await relay.say(`RCPT TO:<${ADDRESS}>`);
    await relay.say("DATA");
    relay.socket.write(
      `Subject: x\r\n\r\nbody${ending}MAIL FROM:<b@example.org>\r\nRCPT TO:<${ADDRESS}>\r\nDATA\r\nsecond\r\n.\r\n`,
    );
    expect(await relay.reply()).toMatch(/^550 5\.5\.2 /);
    await relay.closed();
    expect(opened.received).toHaveLength(0);
  });
}

test("a bare LF in the mail of a trusted relay is a line end, and only CRLF.CRLF ends the mail", async () => {
  const opened = await openDoor({ trustedRelays: trusting127() });
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  await relay.say(`RCPT TO:<${ADDRESS}>`);
  await relay.say("DATA");
  relay.socket.write("Subject: x\n\nbody\n.\nstill\n.\r\nhere\r\n.\r\n");
  expect(await relay.reply()).toMatch(/^250 /);
  expect(opened.received).toHaveLength(1);
  expect(Buffer.from(opened.received[0]?.bytes ?? []).toString()).toBe(
    "Subject: x\r\n\r\nbody\r\n.\r\nstill\r\n.\r\nhere\r\n",
  );
});

test("a command that ends with a bare LF is smuggling", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  relay.socket.write("NOOP\n");
  expect(await relay.reply()).toMatch(/^550 5\.5\.2 /);
  await relay.closed();
});

test("what is pipelined behind the final dot is read after the reply", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  await relay.say(`RCPT TO:<${ADDRESS}>`);
  await relay.say("DATA");
  relay.socket.write(`${MAIL}.\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<${ADDRESS}>\r\nDATA\r\n`);
  expect(await relay.reply()).toMatch(/^250 2\.0\.0 /);
  expect(await relay.reply()).toMatch(/^250 2\.1\.0 /);
  expect(await relay.reply()).toMatch(/^250 2\.1\.5 /);
  expect(await relay.reply()).toMatch(/^354 /);
  relay.socket.write(`${MAIL}.\r\n`);
  expect(await relay.reply()).toMatch(/^250 2\.0\.0 /);
  expect(opened.received).toHaveLength(2);
});

test("a packet that ends between CR and LF of a command behind a mail is no smuggling (found by smtp-fuzz)", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  await relay.say(`RCPT TO:<${ADDRESS}>`);
  await relay.say("DATA");
  relay.socket.write(`${MAIL}.\r\nNOOP\r\nNOOP\r`);
  expect(await relay.reply()).toMatch(/^250 2\.0\.0 /);
  expect(await relay.reply()).toMatch(/^250 /);
  relay.socket.write("\nNOOP\r\n");
  expect(await relay.reply()).toMatch(/^250 /);
  expect(await relay.reply()).toMatch(/^250 /);
});

test("a mail over the limit is answered 552 at MAIL with SIZE, and after DATA without, and the next mail is taken", async () => {
  const opened = await openDoor({ maxMessageBytes: 1_000 });
  using relay = await relayTo(opened);
  expect(await relay.say("MAIL FROM:<a@example.org> SIZE=1001")).toMatch(/^552 5\.3\.4 /);
  expect(await relay.send({ to: ADDRESS, mail: `Subject: big\r\n\r\n${"x".repeat(990)}\r\n` })).toMatch(
    /^552 5\.3\.4 /,
  );
  expect(await relay.send({ to: ADDRESS, mail: MAIL })).toMatch(/^250 2\.0\.0 /);
  expect(opened.received).toHaveLength(1);
});

test("unknown ids, other local parts and hooks of another type get the same 550, other domains 550 5.7.1", async () => {
  const opened = await openDoor({}, { hookById: async () => ({ kind: "hook", hook: { ...HOOK, type: "form" } }) });
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  const wrongType = await relay.say(`RCPT TO:<${ADDRESS}>`);
  expect(wrongType).toMatch(/^550 5\.1\.1 /);
  expect(await relay.say("RCPT TO:<nobody@hooks.example>")).toBe(wrongType);
  expect(await relay.say(`RCPT TO:<${HOOK_ID}@elsewhere.example>`)).toMatch(/^550 5\.7\.1 /);
});

test("a disabled hook gets 550 5.2.1, a paused one 450 4.2.1, a rate limit 450 4.7.1, an unloaded registry 451 4.3.0", async () => {
  let hook: Hook = { ...HOOK, state: "disabled" };
  let rate = true;
  let loaded = true;
  const opened = await openDoor(
    {},
    {
      hookById: async () => (loaded ? { kind: "hook", hook } : { kind: "tryLater", cause: "registry-not-loaded" }),
      withinRate: () => rate,
    },
  );
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  expect(await relay.say(`RCPT TO:<${ADDRESS}>`)).toMatch(/^550 5\.2\.1 /);
  hook = { ...HOOK, state: "paused" };
  expect(await relay.say(`RCPT TO:<${ADDRESS}>`)).toMatch(/^450 4\.2\.1 /);
  hook = HOOK;
  rate = false;
  expect(await relay.say(`RCPT TO:<${ADDRESS}>`)).toMatch(/^450 4\.7\.1 /);
  loaded = false;
  expect(await relay.say(`RCPT TO:<${ADDRESS}>`)).toMatch(/^451 4\.3\.0 /);
});

test("a bug in a look-up is 451, never 550", async () => {
  const opened = await openDoor({}, { hookById: () => Promise.reject(new TypeError("a bug")) });
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  expect(await relay.say(`RCPT TO:<${ADDRESS}>`)).toMatch(/^451 4\.3\.0 /);
});

test("the tag behind a plus reaches the mail, in any case of the id, and mail to postmaster is taken", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  expect(
    await relay.send({
      to: [`${HOOK_ID.toUpperCase()}+Order-7@Hooks.Example`, "postmaster@hooks.example"],
      mail: MAIL,
    }),
  ).toMatch(/^250 /);
  expect(opened.received[0]?.recipients.map(({ tag, hook }) => [tag, hook.app])).toEqual([
    ["Order-7", "shop"],
    [null, "posthorn"],
  ]);
});

test("the hundred-and-first recipient hears 452 4.5.3 and the others are taken", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  for (let i = 0; i < 100; i += 1) expect(await relay.say(`RCPT TO:<${HOOK_ID}+${i}@hooks.example>`)).toMatch(/^250 /);
  expect(await relay.say(`RCPT TO:<${HOOK_ID}+100@hooks.example>`)).toMatch(/^452 4\.5\.3 /);
  expect(await relay.data(MAIL)).toMatch(/^250 2\.0\.0 /);
  expect(opened.received[0]?.recipients).toHaveLength(100);
});

test("a mail with over a hundred Received fields is a loop: 554 5.4.6", async () => {
  const opened = await openDoor();
  using relay = await relayTo(opened);
  const hops = (count: number) => `${"Received: from a by b\r\n".repeat(count)}\r\nReceived: in the body\r\n`;
  expect(await relay.send({ to: ADDRESS, mail: hops(101) })).toMatch(/^554 5\.4\.6 /);
  expect(await relay.send({ to: ADDRESS, mail: hops(100) })).toMatch(/^250 /);
});

test("LMTP gives every RCPT its own reply in order, a repeated recipient too", async () => {
  const outcomes: Outcome[] = [STORED, { kind: "tryLater", cause: "stream-full" }, { kind: "refused", cause: "empty" }];
  const opened = await openDoor(
    { lmtp: true },
    { deliver: async () => ({ whole: { kind: "taken" }, each: outcomes }) },
  );
  using relay = await relayTo(opened, true);
  const replies = await relay.send({ to: [ADDRESS, ADDRESS, `${HOOK_ID}+b@hooks.example`], mail: MAIL }, 3);
  expect(replies.split("\n").map((line) => line.slice(0, 9))).toEqual(["250 2.0.0", "452 4.3.1", "550 5.6.0"]);
  expect(await relay.say("NOOP")).toMatch(/^250 /);
});

test("LMTP answers an oversized mail once per recipient", async () => {
  const opened = await openDoor({ lmtp: true, maxMessageBytes: 100 });
  using relay = await relayTo(opened, true);
  const replies = await relay.send(
    { to: [ADDRESS, `${HOOK_ID}+b@hooks.example`], mail: `S: x\r\n\r\n${"x".repeat(200)}\r\n` },
    2,
  );
  expect(replies).toMatch(/^552 5\.3\.4 .*\n552 5\.3\.4 /);
  expect(await relay.say("NOOP")).toMatch(/^250 /);
});

test("while NATS is away MAIL hears 451 before a byte of the mail is sent", async () => {
  const opened = await openDoor({}, { whyNotNow: () => "nats-away" });
  using relay = await relayTo(opened);
  expect(await relay.say("MAIL FROM:<a@example.org>")).toMatch(/^451 4\.3\.0 /);
});

test("no room for another mail is 451 4.3.2 before DATA, bytes over the budget 451 4.3.2 after it", async () => {
  let room = false;
  const admission = new Admission({ maxConnections: 2, maxBytesInFlight: 500 });
  const opened = await openDoor({}, { hasRoom: () => room, admission });
  using relay = await relayTo(opened);
  expect(await relay.send({ to: ADDRESS, mail: MAIL })).toMatch(/^451 4\.3\.2 /);
  await relay.say("RSET");
  room = true;
  expect(await relay.send({ to: ADDRESS, mail: `S: x\r\n\r\n${"x".repeat(600)}\r\n` })).toMatch(/^451 4\.3\.2 /);
  expect(admission.bytes.used).toBe(0);
  expect(await relay.send({ to: ADDRESS, mail: MAIL })).toMatch(/^250 /);
});

test("a connection over the limit hears 421 4.3.2, and its place is free again when one leaves", async () => {
  const opened = await openDoor({}, { admission: new Admission({ maxConnections: 1, maxBytesInFlight: 500 }) });
  const first = await relayTo(opened);
  using second = await connectRelay({ port: opened.port, host: "127.0.0.1" }, { greet: false });
  expect(second.greeting).toMatch(/^421 4\.3\.2 /);
  await second.closed();
  first.socket.end("QUIT\r\n");
  await first.closed();
  await new Promise((resolve) => setTimeout(resolve, 20));
  using third = await relayTo(opened);
  expect(await third.say("NOOP")).toMatch(/^250 /);
});

test("a silent connection hears 421 4.4.2 and is closed, and so does a transaction that takes too long", async () => {
  const opened = await openDoor({ idleTimeoutMs: 150, transactionTimeoutMs: 400 });
  using silent = await relayTo(opened);
  expect(await silent.reply()).toMatch(/^421 4\.4\.2 /);
  await silent.closed();
  using slow = await relayTo(opened);
  await slow.say("MAIL FROM:<a@example.org>");
  await slow.say(`RCPT TO:<${ADDRESS}>`);
  await slow.say("DATA");
  const drip = setInterval(() => slow.socket.write("x"), 20);
  expect(await slow.reply()).toMatch(/^421 4\.4\.2 /);
  clearInterval(drip);
  await slow.closed();
});

test("a connection that begins mails and sends none hears 421 4.4.2 in the end; one with mail after mail stays", async () => {
  const opened = await openDoor({ idleTimeoutMs: 1_500, transactionTimeoutMs: 1_500 });
  using steady = await relayTo(opened);
  using idler = await relayTo(opened);
  let heard = "";
  while (!heard.startsWith("421")) {
    heard = await idler.say("MAIL FROM:<a@example.org>");
    if (heard.startsWith("250")) heard = await idler.say("RSET");
    expect(heard).toMatch(/^(?:250 |421 4\.4\.2 )/);
    expect(await steady.send({ to: ADDRESS, mail: MAIL })).toMatch(/^250 /);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await idler.closed();
  expect(await steady.send({ to: ADDRESS, mail: MAIL })).toMatch(/^250 /);
});

test("with soft bounce every 5xx goes out as 4xx", async () => {
  const opened = await openDoor({ softBounce: true });
  using relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  expect(await relay.say("RCPT TO:<nobody@hooks.example>")).toMatch(/^450 4\.1\.1 /);
  expect(await relay.say("BOGUS")).toMatch(/^400 4\./);
});

test("at the end idle relays hear 421 4.3.2, and an open mail is delivered first", async () => {
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const opened = await openDoor(
    {},
    {
      deliver: async (mail) => {
        begun.resolve();
        await held.promise;
        return { whole: { kind: "taken" }, each: mail.recipients.map(() => STORED) };
      },
    },
  );
  using idle = await relayTo(opened);
  using busy = await relayTo(opened);
  const reply = busy.send({ to: ADDRESS, mail: MAIL });
  await begun.promise;
  const closing = opened.door.close(5_000);
  expect(await idle.reply()).toMatch(/^421 4\.3\.2 /);
  held.resolve();
  expect(await reply).toMatch(/^250 2\.0\.0 /);
  expect(await busy.reply()).toMatch(/^421 4\.3\.2 /);
  await closing;
});

test("a mail cut off in the middle is never delivered and gives its bytes back", async () => {
  const admission = new Admission({ maxConnections: 5, maxBytesInFlight: 1_000 });
  const opened = await openDoor({}, { admission });
  const relay = await relayTo(opened);
  await relay.say("MAIL FROM:<a@example.org>");
  await relay.say(`RCPT TO:<${ADDRESS}>`);
  await relay.say("DATA");
  relay.socket.write("Subject: half\r\n");
  await expect.poll(() => admission.bytes.used).toBeGreaterThan(0);
  relay.socket.destroy();
  await expect.poll(() => admission.bytes.used).toBe(0);
  expect(opened.received).toHaveLength(0);
});

test("XCLIENT is believed from a trusted relay and refused to everybody else", async () => {
  const stranger = await openDoor();
  using unheard = await relayTo(stranger);
  expect(await unheard.say("XCLIENT ADDR=192.0.2.7")).toMatch(/^550 /);
  const trusting = await openDoor({ trustedRelays: trusting127() });
  using relay = await relayTo(trusting);
  expect(await relay.say("XCLIENT ADDR=192.0.2.7 NAME=client.example")).toMatch(/^220 /);
  await relay.say("EHLO client.example");
  expect(await relay.send({ to: ADDRESS, mail: MAIL })).toMatch(/^250 /);
  expect(trusting.received[0]?.envelope.remoteAddress).toBe("192.0.2.7");
});
