import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import type { Relay } from "../support/relay.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, {
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
    POSTHORN_SMTP_PROXY: "required",
    POSTHORN_CLIENT_CONNECTIONS: "3",
    POSTHORN_CLIENT_MAILS_PER_MINUTE: "8",
    POSTHORN_PROCESSES: "2",
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

/** A stranger on the Internet, as a load balancer announces it. */
function strangerAt(address: string): Promise<Relay> {
  const port = Number(
    posthorn.daemon.mail.doors
      .find(({ name }) => name === "smtp")
      ?.address.split(":")
      .at(-1),
  );
  const family = address.includes(":") ? "TCP6" : "TCP4";
  const own = family === "TCP6" ? "::1" : "127.0.0.1";
  return connectRelay(
    { host: "127.0.0.1", port },
    { head: `PROXY ${family} ${address} ${own} 4242 25\r\n`, greet: false },
  );
}

async function greeted(address: string): Promise<Relay> {
  const relay = await strangerAt(address);
  expect(relay.greeting).toMatch(/^220 /);
  await relay.say("EHLO client.example");
  return relay;
}

async function mailFrom(relay: Relay, domain: string): Promise<string> {
  const reply = await relay.say(`MAIL FROM:<a@${domain}>`);
  await relay.say("RSET");
  return reply.slice(0, 9);
}

test("an address may have so many connections at once, its network twice as many, and a place that is left is free", async () => {
  await using open = new AsyncDisposableStack();
  for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3"])
    open.use(await greeted(address));
  expect((await strangerAt("192.0.2.9")).greeting).toMatch(/^421 4\.3\.2 /);
  using other = await greeted("198.51.100.1");
  expect(await other.say("NOOP")).toMatch(/^250 /);
  await open.disposeAsync();
  for (const deadline = Date.now() + 20_000; ;) {
    using again = await strangerAt("192.0.2.9");
    if (again.greeting.startsWith("220 ")) break;
    if (Date.now() > deadline) throw new Error("the places of closed connections are not free again");
  }
});

test("a stranger who sends too much hears 450 4.7.1, and nobody else does", async () => {
  using busy = await greeted("2001:db8:1:1::1");
  // The first four are its part of eight; a minute that ends in between allows a few more.
  const replies: string[] = [];
  for (let i = 0; i < 20 && replies.at(-1) !== "450 4.7.1"; i += 1) replies.push(await mailFrom(busy, `${i}.example`));
  expect(replies.slice(0, 4)).toEqual(["250 2.1.0", "250 2.1.0", "250 2.1.0", "250 2.1.0"]);
  expect(replies.at(-1)).toBe("450 4.7.1");
  using calm = await greeted("2001:db8:1:2::1");
  expect(await mailFrom(calm, "calm.example")).toBe("250 2.1.0");
});

test("who asks for one unknown recipient after the other hears 421, a relay that speaks for many does not", async () => {
  const hook = await posthorn.emailHook();
  using harvester = await greeted("203.0.113.1");
  await harvester.say("MAIL FROM:<>");
  const heard: string[] = [];
  for (let i = 0; i < 40 && heard.at(-1) !== "421"; i += 1)
    heard.push((await harvester.say(`RCPT TO:<nobody${i}@localhost>`)).slice(0, 3));
  expect(heard).toHaveLength(31);
  expect(heard.at(-1)).toBe("421");
  await harvester.closed();
  // LMTP comes without a PROXY header here: the relay itself, on our own side.
  using relay = await posthorn.connectRelay("lmtp");
  await relay.say("MAIL FROM:<a@example.org>");
  for (let i = 0; i < 35; i += 1) expect(await relay.say(`RCPT TO:<nobody${i}@localhost>`)).toMatch(/^[45]50 /);
  expect(await relay.say(`RCPT TO:<${hook.address}>`)).toMatch(/^250 /);
});
