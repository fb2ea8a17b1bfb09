import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_TRUSTED_RELAYS: "127.0.0.0/8,2001:db8::/32" });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

let mails = 0;
const mail = () => `From: a@example.org\r\nContent-Type: application/json\r\n\r\n{"n":${(mails += 1)}}\r\n`;

async function envelopeOfNewest() {
  const text = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "{}";
  return (JSON.parse(text) as { data: { mail: { envelope: { remoteAddress: string; helo: string } } } }).data.mail
    .envelope;
}

test("XFORWARD from a trusted relay gives the event the client's address and HELO name", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  expect(await relay.say("XFORWARD NAME=mail.client.example ADDR=192.0.2.7 PORT=1 HELO=client.example")).toMatch(
    /^250 /,
  );
  expect(await relay.send({ to: hook.address, mail: mail() })).toMatch(/^250 /);
  expect(await envelopeOfNewest()).toMatchObject({ remoteAddress: "192.0.2.7", helo: "client.example" });
  await relay.say("XFORWARD ADDR=IPV6:2001:db8::9");
  await relay.send({ to: hook.address, mail: mail() });
  expect((await envelopeOfNewest()).remoteAddress).toBe("2001:db8::9");
});

test("mail of the relay's own, on a connection that carried a client's before, has the relay's address", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  await relay.say("XFORWARD ADDR=192.0.2.7 HELO=client.example");
  await relay.send({ to: hook.address, mail: mail() });
  await relay.say("XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]");
  await relay.send({ to: hook.address, mail: mail() });
  expect((await envelopeOfNewest()).remoteAddress).toBe("127.0.0.1");
});

test("XCLIENT hands the session over: a new greeting, the client's address, and no second XCLIENT", async () => {
  const hook = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  expect(await relay.say("XCLIENT ADDR=192.0.2.8 NAME=client.example")).toMatch(/^220 /);
  expect(await relay.say("EHLO client.example")).not.toMatch(/XCLIENT|XFORWARD/);
  expect(await relay.say("XCLIENT ADDR=127.0.0.1")).toMatch(/^5\d\d /);
  await relay.send({ to: hook.address, mail: mail() });
  expect(await envelopeOfNewest()).toMatchObject({ remoteAddress: "192.0.2.8", helo: "client.example" });
});

test("an address, a name or a control character that is none is refused whole", async () => {
  using relay = await posthorn.connectRelay();
  for (const bad of ["ADDR=somewhere", "ADDR=192.0.2.7+0D+0AX", "NAME=a+0D+0Ab", "FOO=1", "ADDR"])
    for (const command of ["XFORWARD", "XCLIENT"]) expect(await relay.say(`${command} ${bad}`)).toMatch(/^501 /);
  const hook = await posthorn.emailHook();
  await relay.send({ to: hook.address, mail: mail() });
  expect((await envelopeOfNewest()).remoteAddress).toBe("127.0.0.1");
});

test("a stranger is offered neither and heard on neither", async () => {
  await using other = await startTestDaemon(nats, { POSTHORN_TRUSTED_RELAYS: "192.0.2.0/24" });
  using relay = await other.connectRelay();
  expect(await relay.say("EHLO relay.example.org")).not.toMatch(/XCLIENT|XFORWARD/);
  expect(await relay.say("XCLIENT ADDR=192.0.2.7")).toMatch(/^550 /);
  expect(await relay.say("XFORWARD ADDR=192.0.2.7")).toMatch(/^550 /);
});

test("with POSTHORN_ALLOWED_CLIENTS others hear 554 5.7.1 instead of a greeting", async () => {
  await using closed = await startTestDaemon(nats, { POSTHORN_ALLOWED_CLIENTS: "192.0.2.0/24,2001:db8::/32" });
  using relay = await closed.connectRelay("smtp", { greet: false });
  expect(relay.greeting).toMatch(/^554 5\.7\.1 /);
  await relay.closed();
  await using open = await startTestDaemon(nats, { POSTHORN_ALLOWED_CLIENTS: "127.0.0.0/8" });
  using welcome = await open.connectRelay();
  expect(welcome.greeting).toMatch(/^220 /);
});
