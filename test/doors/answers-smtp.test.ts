import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";

// Contract §7, the answers that need no fault: each is heard from the running daemon over a real socket.

const DOMAIN = "hooks.example";
const json = (value: unknown) =>
  `From: shop@example.org\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(value)}\r\n`;
const WORDS = "From: shop@example.org\r\n\r\nJust words.\r\n";
const MAIL_FROM = "MAIL FROM:<shop@example.org>";

let nats: NatsServer;
let posthorn: TestDaemon;
const addresses = new Map<string, string>();
/** The address of the hook `kustomer.app.shop.<name>`. */
const to = (name: string) => addresses.get(name) ?? `no hook ${name}`;
const setState = (name: string, state: "enabled" | "disabled" | "paused") =>
  posthorn.daemon.storage.registry.setState(`kustomer.app.shop.${name}`, state);

/** Daemons share the server and so the hooks; each has the settings its rows need. */
const startWith = (env: Readonly<Record<string, string>>) =>
  startTestDaemon(nats, { POSTHORN_MAIL_DOMAIN: DOMAIN, ...env });

beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startWith({ POSTHORN_MAX_MESSAGE_BYTES: "20000" });
  const hooks = [
    { name: "order", type: "email" },
    { name: "bill", type: "email" },
    { name: "post", type: "form" },
    { name: "strict", type: "email", options: { empty: "reject" } },
    { name: "stricter", type: "email", options: { empty: "reject" } },
    { name: "seldom", type: "email", options: { rateLimit: { perMinute: 1 } } },
    { name: "off", type: "email" },
    { name: "waiting", type: "email" },
  ].map(({ name, type, options }) => ({ eventName: `kustomer.app.shop.${name}`, type, "x-posthorn": options ?? {} }));
  for (const { eventName, hookId } of await posthorn.install(hooks))
    addresses.set(eventName.replace("kustomer.app.shop.", ""), `${hookId}@${DOMAIN}`);
  await setState("off", "disabled");
  await setState("waiting", "paused");
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** The answers to these RCPTs in one transaction. */
async function rcpts(relay: Relay, ...recipients: readonly string[]): Promise<string[]> {
  expect(await relay.say(MAIL_FROM)).toBe("250 2.1.0 Accepted");
  const replies: string[] = [];
  for (const recipient of recipients) replies.push(await relay.say(`RCPT TO:<${recipient}>`));
  await relay.say("RSET");
  return replies;
}

test("250 2.0.0 names the event, and the dead letter of a mail without data", async () => {
  using relay = await posthorn.connectRelay();
  const event = await relay.send({ to: to("order"), mail: json({ order: 1 }) });
  expect(event).toMatch(/^250 2\.0\.0 [0-9a-hjkmnp-tv-z]{26}$/);
  const letter = await relay.send({ to: to("order"), mail: WORDS });
  expect(letter).toMatch(/^250 2\.0\.0 [0-9a-hjkmnp-tv-z]{26}$/);
  expect(await ids("POSTHORN_EVENTS")).toContain(event.slice(-26));
  expect(await ids("POSTHORN_DEAD_LETTERS")).toContain(letter.slice(-26));
});

test("550 5.1.1, the same text for an unknown id, another local part and a hook that is not e-mail", async () => {
  using relay = await posthorn.connectRelay();
  const replies = await rcpts(relay, to("post"), `${"0".repeat(25)}1@${DOMAIN}`, `info@${DOMAIN}`);
  expect(new Set(replies)).toEqual(new Set(["550 5.1.1 No such hook here"]));
});

test("550 5.7.1 for a domain that is not ours", async () => {
  using relay = await posthorn.connectRelay();
  const [reply] = await rcpts(relay, to("order").replace(DOMAIN, "elsewhere.example"));
  expect(reply).toBe("550 5.7.1 We do not take mail for this domain");
});

test("550 5.2.1 for a disabled hook, 450 4.2.1 for a paused one, and both take mail when enabled again", async () => {
  using relay = await posthorn.connectRelay();
  expect(await rcpts(relay, to("off"), to("waiting"))).toEqual([
    "550 5.2.1 This hook is disabled",
    "450 4.2.1 This hook is paused, please try again",
  ]);
  await setState("off", "enabled");
  await setState("waiting", "enabled");
  await expect.poll(() => rcpts(relay, to("off"), to("waiting"))).toEqual(["250 2.1.5 Accepted", "250 2.1.5 Accepted"]);
});

test("450 4.7.1 past a hook's rate limit, counted at RCPT", async () => {
  using relay = await posthorn.connectRelay();
  // Three, because the second could stand in the next minute.
  const replies = await rcpts(relay, to("seldom"), to("seldom"), to("seldom"));
  expect(replies[0]).toBe("250 2.1.5 Accepted");
  expect(replies[2]).toBe("450 4.7.1 Rate limit reached, please slow down");
});

test("450 4.7.1 for a remote address that guesses at ids", async () => {
  using relay = await posthorn.connectRelay();
  await relay.say(MAIL_FROM);
  const guesses = Array.from({ length: 400 }, (_, index) => `RCPT TO:<${String(index).padStart(26, "0")}@${DOMAIN}>`);
  relay.socket.write(`${guesses.join("\r\n")}\r\n`);
  const replies = new Set<string>();
  for (const _ of guesses) replies.add(await relay.reply());
  expect(replies).toEqual(new Set(["550 5.1.1 No such hook here", "450 4.7.1 Rate limit reached, please slow down"]));
});

test("552 5.3.4 at MAIL for a declared size, after DATA for one that was not, and the connection goes on", async () => {
  using relay = await posthorn.connectRelay();
  expect(await relay.say(`${MAIL_FROM} SIZE=20001`)).toMatch(/^552 5\.3\.4 /);
  const big = json("x".repeat(20_000));
  expect(await relay.send({ to: to("order"), mail: big })).toBe("552 5.3.4 Larger than the limit");
  expect(await relay.send({ to: to("order"), mail: json({ order: 2 }) })).toMatch(/^250 2\.0\.0 /);
});

test("452 4.5.3 for each recipient past the hundredth, and the hundred are taken", async () => {
  using relay = await posthorn.connectRelay();
  await relay.say(MAIL_FROM);
  for (let i = 0; i < 100; i += 1) expect(await relay.say(`RCPT TO:<${to("order")}>`)).toMatch(/^250 /);
  for (let i = 0; i < 2; i += 1)
    expect(await relay.say(`RCPT TO:<${to("bill")}>`)).toBe(
      "452 4.5.3 Too many recipients, send the rest in another transaction",
    );
  expect(await relay.data(json({ order: 3 }))).toMatch(/^250 2\.0\.0 \S{26}$/);
});

test("452 4.5.3 for each delivery past what announced bytes times deliveries may be, but not for one that is there already", async () => {
  await using own = await startNatsServer();
  await using large = await startTestDaemon(own, { POSTHORN_MAX_MESSAGE_BYTES: "26214400" });
  const { address } = await large.emailHook();
  const tagged = (tag: number) => address.replace("@", `+${tag}@`);
  using relay = await large.connectRelay();
  const accepted = async (parameters: string, count: number) => {
    await relay.say(`MAIL FROM:<shop@example.org>${parameters}`);
    const replies: string[] = [];
    for (let tag = 0; tag < count; tag += 1) replies.push(await relay.say(`RCPT TO:<${tagged(tag)}>`));
    expect(await relay.say(`RCPT TO:<${tagged(0)}>`)).toMatch(/^250 /);
    await relay.say("RSET");
    return replies.map((reply) => reply.slice(0, 9)).lastIndexOf("250 2.1.5") + 1;
  };
  // 512 MiB: 25 times 20 MiB, 51 times 10 MiB, and 99 times the 1 MiB that no word of the size is taken for.
  expect(await accepted(` SIZE=${20 * 1024 * 1024}`, 30)).toBe(25);
  expect(await accepted(` SIZE=${10 * 1024 * 1024}`, 60)).toBe(51);
  expect(await accepted("", 99)).toBe(99);
});

test("554 5.4.6 for a mail with over 100 Received fields", async () => {
  using relay = await posthorn.connectRelay();
  const hops = (count: number) => "Received: from a by b\r\n".repeat(count) + json({ hops: count });
  expect(await relay.send({ to: to("order"), mail: hops(101) })).toBe("554 5.4.6 Mail loop, too many Received fields");
  expect(await relay.send({ to: to("order"), mail: hops(100) })).toMatch(/^250 /);
});

test("550 5.5.2 and close for a bare LF or CR in a command or in the mail; nothing behind it is a command", async () => {
  const before = (await ids("POSTHORN_EVENTS")).length;
  for (const command of ["NOOP\nNOOP\r\n", "NOOP\rNOOP\r\n"]) {
    using relay = await posthorn.connectRelay();
    relay.socket.write(command);
    expect(await relay.reply()).toBe("550 5.5.2 Line ends must be CRLF");
    await relay.closed();
  }
  for (const end of ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r\r\n"]) {
    using relay = await posthorn.connectRelay();
    await relay.say(MAIL_FROM);
    await relay.say(`RCPT TO:<${to("order")}>`);
    await relay.say("DATA");
    relay.socket.write(`S: x\r\n\r\n1${end}${MAIL_FROM}\r\nRCPT TO:<${to("order")}>\r\nDATA\r\n${json(2)}.\r\n`);
    expect(await relay.reply()).toBe("550 5.5.2 Line ends must be CRLF");
    await relay.closed();
  }
  expect(await ids("POSTHORN_EVENTS")).toHaveLength(before);
});

test("550 5.6.0 for a mail without data where the hook says reject", async () => {
  using relay = await posthorn.connectRelay();
  expect(await relay.send({ to: to("strict"), mail: WORDS })).toBe("550 5.6.0 Nothing to extract in this mail");
});

test("SMTP: all refused is the refusal; one taken is 250, and the refused one is dead-lettered", async () => {
  using relay = await posthorn.connectRelay();
  const all = { to: [to("strict"), to("stricter")], mail: WORDS };
  expect(await relay.send(all)).toBe("550 5.6.0 Nothing to extract in this mail");
  const mail = WORDS.replace("Just", "Only");
  const reply = await relay.send({ to: [to("strict"), to("order")], mail });
  expect(reply).toMatch(/^250 2\.0\.0 \S{26} \S{26}$/);
  const letters = await storedIn(posthorn, "POSTHORN_DEAD_LETTERS");
  expect(letters.slice(-2).map(({ subject }) => subject)).toEqual(
    expect.arrayContaining([
      "posthorn.dead.shop.kustomer.app.shop.strict",
      "posthorn.dead.shop.kustomer.app.shop.order",
    ]),
  );
});

test("LMTP: each recipient has its own reply, in order, a repeated one too", async () => {
  using relay = await posthorn.connectRelay("lmtp");
  const mail = WORDS.replace("Just", "Four");
  const recipients = [to("order"), to("strict"), to("order"), to("order").replace("@", "+tag@")];
  const replies = (await relay.send({ to: recipients, mail }, 4)).split("\n");
  expect(replies.map((reply) => reply.slice(0, 9))).toEqual(["250 2.0.0", "550 5.6.0", "250 2.0.0", "250 2.0.0"]);
  expect(replies[2]).toBe(replies[0]);
  expect(replies[3]).not.toBe(replies[0]);
  expect(await relay.say("NOOP")).toMatch(/^250 /);
});

test("250 carries the first fifteen ids and then +N", async () => {
  using relay = await posthorn.connectRelay();
  const recipients = Array.from({ length: 17 }, (_, index) => to("order").replace("@", `+t${index}@`));
  expect(await relay.send({ to: recipients, mail: json({ order: 4 }) })).toMatch(/^250 2\.0\.0( \S{26}){15} \+2$/);
});

test("421 4.3.2 for a connection over the limit; its place is free again when one leaves", async () => {
  await using small = await startWith({ POSTHORN_MAX_CONNECTIONS: "1" });
  const first = await small.connectRelay();
  const port = Number(small.daemon.mail.doors[0]?.address.split(":").at(-1));
  using second = await connectRelay({ host: "127.0.0.1", port }, { greet: false });
  expect(second.greeting).toBe("421 4.3.2 Too many connections, please try again");
  await second.closed();
  expect(await first.say("QUIT")).toMatch(/^221 /);
  await first.closed();
  await expect
    .poll(async () => {
      using third = await connectRelay({ host: "127.0.0.1", port }, { greet: false });
      return third.greeting;
    })
    .toMatch(/^220 /);
});

test("421 4.4.2 and close for a silent connection, and for a transaction that never ends", async () => {
  await using hasty = await startWith({ POSTHORN_IDLE_TIMEOUT: "400ms", POSTHORN_TRANSACTION_TIMEOUT: "1s" });
  using silent = await hasty.connectRelay();
  expect(await silent.reply()).toBe("421 4.4.2 Nothing heard in time, closing the connection");
  await silent.closed();
  using slow = await hasty.connectRelay();
  await slow.say(MAIL_FROM);
  await slow.say(`RCPT TO:<${to("order")}>`);
  await slow.say("DATA");
  const drip = setInterval(() => slow.socket.write("x"), 50);
  expect(await slow.reply()).toBe("421 4.4.2 Nothing heard in time, closing the connection");
  clearInterval(drip);
  await slow.closed();
});

test("a trusted relay's bare LF in a mail is a line end, and only CRLF.CRLF ends the mail", async () => {
  await using trusting = await startWith({ POSTHORN_TRUSTED_RELAYS: "127.0.0.0/8" });
  using relay = await trusting.connectRelay();
  await relay.say(MAIL_FROM);
  await relay.say(`RCPT TO:<${to("order")}>`);
  await relay.say("DATA");
  relay.socket.write('Content-Type: application/json\n\n["a",\n.\n"b"]\n.\r\n\r\n.\r\n');
  expect(await relay.reply()).toMatch(/^250 2\.0\.0 /);
  expect(await relay.say("NOOP")).toMatch(/^250 /);
  relay.socket.write("NOOP\n");
  expect(await relay.reply()).toBe("550 5.5.2 Line ends must be CRLF");
});

test("with soft bounce every 5xx goes out as 4xx, over SMTP and LMTP", async () => {
  await using soft = await startWith({ POSTHORN_SOFT_BOUNCE: "true", POSTHORN_MAX_MESSAGE_BYTES: "5000" });
  using relay = await soft.connectRelay();
  expect(await rcpts(relay, `info@${DOMAIN}`, "a@elsewhere.example")).toEqual([
    "450 4.1.1 No such hook here",
    "450 4.7.1 We do not take mail for this domain",
  ]);
  expect(await relay.say(`${MAIL_FROM} SIZE=5001`)).toMatch(/^452 4\.3\.4 /);
  expect(await relay.say("BOGUS")).toMatch(/^400 4\./);
  expect(await relay.send({ to: to("strict"), mail: WORDS })).toMatch(/^450 4\.6\.0 /);
  using lmtp = await soft.connectRelay("lmtp");
  expect(await lmtp.send({ to: to("strict"), mail: WORDS })).toMatch(/^450 4\.6\.0 /);
});

async function ids(stream: string): Promise<(string | undefined)[]> {
  return (await storedIn(posthorn, stream)).map(({ headers }) => headers["Nats-Msg-Id"]);
}
