import { once } from "node:events";
import { connect } from "node:net";
import { connect as tlsConnect } from "node:tls";

import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { proxyV2 } from "../support/proxy-v2.ts";
import { Relay } from "../support/relay.ts";

let nats: NatsServer;
let posthorn: TestDaemon;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, { POSTHORN_SMTP_PROXY: "required", POSTHORN_TRUSTED_RELAYS: "127.0.0.1,::1" });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const smtpPort = (daemon = posthorn) =>
  Number(
    daemon.daemon.mail.doors
      .find(({ name }) => name === "smtp")
      ?.address.split(":")
      .at(-1),
  );

/** A connection that begins with these bytes. */
function connectWith(head: string | Buffer): Relay {
  const socket = connect(smtpPort(), "127.0.0.1");
  socket.write(head);
  return new Relay(socket, 15_000);
}

let mails = 0;
const mail = () => `From: a@example.org\r\nContent-Type: application/json\r\n\r\n{"n":${(mails += 1)}}\r\n`;

async function addressInNewest(daemon = posthorn): Promise<string> {
  const text = (await storedIn(daemon, "POSTHORN_EVENTS")).at(-1)?.text ?? "{}";
  return (JSON.parse(text) as { data: { mail: { envelope: { remoteAddress: string } } } }).data.mail.envelope
    .remoteAddress;
}

test.each([
  ["version 1", "PROXY TCP4 192.0.2.1 127.0.0.1 4242 25\r\n", "192.0.2.1"],
  ["version 1 with IPv6", "PROXY TCP6 2001:db8::7 ::1 4242 25\r\n", "2001:db8::7"],
  ["version 2", proxyV2({ address: "192.0.2.2", port: 4_242 }), "192.0.2.2"],
  ["version 2 with IPv6", proxyV2({ address: "2001:db8::8", port: 4_242 }), "2001:db8::8"],
])("a PROXY header of %s gives the event the client's address", async (_name, header, address) => {
  const hook = await posthorn.emailHook();
  using relay = connectWith(header);
  expect(await relay.reply()).toMatch(/^220 /);
  const features = await relay.say("EHLO client.example");
  // The client behind the proxy is a stranger, however trusted the proxy is.
  expect(features).not.toMatch(/XCLIENT|XFORWARD/);
  expect(await relay.send({ to: hook.address, mail: mail() })).toMatch(/^250 2\.0\.0 /);
  expect(await addressInNewest()).toBe(address);
});

test("the proxy's own health check is itself, and a client whose address it does not know is trusted with nothing", async () => {
  using check = connectWith(proxyV2({ command: "local" }));
  await check.reply();
  expect(await check.say("EHLO lb")).toContain("XCLIENT");
  using unknown = connectWith("PROXY UNKNOWN\r\n");
  await unknown.reply();
  expect(await unknown.say("EHLO client.example")).not.toContain("XCLIENT");
});

test("a connection without a header, or with a broken one, is closed without a word", async () => {
  for (const head of ["EHLO relay\r\n", "PROXY TCP4 nonsense\r\n", "\r\n\r\n\0\r\nQUIT\nxxxx"]) {
    const socket = connect(smtpPort(), "127.0.0.1");
    let heard = "";
    socket.on("error", () => undefined).on("data", (bytes: Buffer) => (heard += bytes.toString()));
    socket.write(head);
    await once(socket, "close");
    expect(heard).toBe("");
  }
});

test("a header that comes byte by byte, with the first command behind it, is read like any other", async () => {
  const socket = connect(smtpPort(), "127.0.0.1");
  socket.setNoDelay(true);
  for (const byte of proxyV2({ address: "192.0.2.3" })) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  using relay = new Relay(socket, 15_000);
  expect(await relay.reply()).toMatch(/^220 /);
  expect(await relay.say("NOOP")).toMatch(/^250 /);
});

test("in front of TLS from the first byte the header comes first, the handshake right behind it", async () => {
  const certificate = makeCertificate("localhost");
  await using folder = await temporaryFolder();
  await using daemon = await startTestDaemon(nats, {
    ...(await writeCertificate(folder.path, certificate)),
    POSTHORN_SMTP_PROXY: "required",
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
    POSTHORN_SMTPS_LISTEN: "127.0.0.1:0",
  });
  const hook = await daemon.emailHook();
  const port = Number(
    daemon.daemon.mail.doors
      .find(({ name }) => name === "smtps")
      ?.address.split(":")
      .at(-1),
  );
  const socket = connect(port, "127.0.0.1");
  socket.cork();
  socket.write(proxyV2({ address: "192.0.2.4" }));
  const tls = tlsConnect({ socket, servername: "localhost", ca: certificate.cert });
  setImmediate(() => socket.uncork());
  await once(tls, "secureConnect");
  using relay = new Relay(tls, 15_000);
  expect(await relay.reply()).toMatch(/^220 /);
  await relay.say("EHLO client.example");
  expect(await relay.send({ to: hook.address, mail: mail() })).toMatch(/^250 /);
  expect(await addressInNewest(daemon)).toBe("192.0.2.4");
});

test("from an address that is not trusted even a good header closes the connection", async () => {
  await using other = await startTestDaemon(nats, {
    POSTHORN_SMTP_PROXY: "required",
    POSTHORN_TRUSTED_RELAYS: "192.0.2.0/24",
  });
  const socket = connect(smtpPort(other), "127.0.0.1");
  let heard = "";
  socket.on("error", () => undefined).on("data", (bytes: Buffer) => (heard += bytes.toString()));
  socket.write("PROXY TCP4 192.0.2.1 127.0.0.1 4242 25\r\n");
  await once(socket, "close");
  expect(heard).toBe("");
});
