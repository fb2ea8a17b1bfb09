import { spawn } from "node:child_process";
import { connect as tlsConnect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { connect } from "node:net";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { Relay, connectRelay } from "../support/relay.ts";

const NAME = "mx.hooks.example";
let nats: NatsServer;
let posthorn: TestDaemon;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const first = makeCertificate(NAME);
beforeAll(async () => {
  nats = await startNatsServer();
  folder = await temporaryFolder();
  posthorn = await startTestDaemon(nats, {
    ...(await writeCertificate(folder.path, first)),
    POSTHORN_SMTPS_LISTEN: "127.0.0.1:0",
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const MAIL = "From: a@example.org\r\nMessage-ID: <1@example.org>\r\nContent-Type: application/json\r\n\r\n{}\r\n";

function portOf(door: "smtp" | "smtps", daemon = posthorn): number {
  return Number(
    daemon.daemon.mail.doors
      .find(({ name }) => name === door)
      ?.address.split(":")
      .at(-1),
  );
}

/** Goes on in TLS on the same connection, believing `certificate` only. */
async function upgraded(relay: Relay, certificate: TestCertificate = first): Promise<Relay> {
  const socket = tlsConnect({ socket: relay.socket, servername: NAME, ca: certificate.cert });
  await once(socket, "secureConnect");
  return new Relay(socket, 15_000);
}

async function overSmtps(certificate: TestCertificate = first): Promise<Relay> {
  const socket = tlsConnect({ host: "127.0.0.1", port: portOf("smtps"), servername: NAME, ca: certificate.cert });
  await once(socket, "secureConnect");
  const relay = new Relay(socket, 15_000);
  relay.greeting = await relay.reply("the greeting");
  return relay;
}

test("STARTTLS is offered, and the event says which protocol and cipher the mail came over", async () => {
  const hook = await posthorn.emailHook();
  using clear = await posthorn.connectRelay();
  expect(await clear.say("EHLO relay.example.org")).toContain("250-STARTTLS");
  expect(await clear.say("STARTTLS")).toMatch(/^220 /);
  using relay = await upgraded(clear);
  const features = await relay.say("EHLO relay.example.org");
  expect(features).not.toContain("STARTTLS");
  expect(await relay.send({ to: hook.address, mail: MAIL })).toMatch(/^250 2\.0\.0 /);
  const event = JSON.parse((await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1)?.text ?? "") as {
    data: { mail: { envelope: { protocol: string; tls: string } } };
  };
  expect(event.data.mail.envelope).toMatchObject({ protocol: "ESMTPS", tls: expect.stringMatching(/^TLSv1\.3 TLS_/) });
});

test("what was written in the clear behind STARTTLS is not read as commands of the TLS session", async () => {
  using clear = await posthorn.connectRelay();
  clear.socket.write("STARTTLS\r\nMAIL FROM:<injected@example.org>\r\nNOOP\r\n");
  expect(await clear.reply("STARTTLS")).toMatch(/^220 /);
  using relay = await upgraded(clear);
  // The very next reply is that to our own command; an injected one would have been answered before it.
  expect(await relay.say("EHLO relay.example.org")).toMatch(/^250-mx|^250-localhost/);
  expect(await relay.say("MAIL FROM:<own@example.org>")).toMatch(/^250 /);
});

test("nothing said before STARTTLS counts behind it: the client has to say EHLO again (RFC 3207 §4.2)", async () => {
  using clear = await posthorn.connectRelay();
  await clear.say("MAIL FROM:<a@example.org>");
  await clear.say("STARTTLS");
  using relay = await upgraded(clear);
  expect(await relay.say("MAIL FROM:<a@example.org>")).toMatch(/^503 /);
  await relay.say("EHLO relay.example.org");
  expect(await relay.say("RCPT TO:<a@localhost>")).toMatch(/^503 /);
});

test("STARTTLS with a parameter and a second STARTTLS are refused", async () => {
  using clear = await posthorn.connectRelay();
  expect(await clear.say("STARTTLS now")).toMatch(/^501 /);
  await clear.say("STARTTLS");
  using relay = await upgraded(clear);
  await relay.say("EHLO relay.example.org");
  expect(await relay.say("STARTTLS")).toMatch(/^50[023] /);
});

test("the SMTPS door speaks TLS from the first byte", async () => {
  const hook = await posthorn.emailHook();
  using relay = await overSmtps();
  expect(relay.greeting).toMatch(/^220 localhost ESMTP Posthorn$/);
  await relay.say("EHLO relay.example.org");
  expect(await relay.send({ to: hook.address, mail: MAIL })).toMatch(/^250 2\.0\.0 /);
});

test("TLS 1.1 is not spoken, and a client that talks nonsense ends alone", async () => {
  const old = tlsConnect({
    port: portOf("smtps"),
    host: "127.0.0.1",
    rejectUnauthorized: false,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
  });
  const [error] = (await once(old, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  const nonsense = connect(portOf("smtps"), "127.0.0.1");
  nonsense.on("error", () => undefined).resume();
  nonsense.write("EHLO in.the.clear\r\n");
  await once(nonsense, "close");
  using relay = await overSmtps();
  expect(relay.greeting).toMatch(/^220 /);
});

test("with POSTHORN_TLS_REQUIRED mail in the clear hears 530 5.7.0, and is taken behind STARTTLS", async () => {
  const strict = makeCertificate(NAME);
  await using own = await temporaryFolder();
  await using daemon = await startTestDaemon(nats, {
    ...(await writeCertificate(own.path, strict)),
    POSTHORN_TLS_REQUIRED: "true",
  });
  const hook = await daemon.emailHook();
  using clear = await daemon.connectRelay();
  expect(await clear.say("MAIL FROM:<a@example.org>")).toMatch(/^530 5\.7\.0 /);
  await clear.say("STARTTLS");
  using relay = await upgraded(clear, strict);
  await relay.say("EHLO relay.example.org");
  expect(await relay.send({ to: hook.address, mail: MAIL })).toMatch(/^250 /);
});

test("the place of a connection that went on in TLS is free again when it ends", async () => {
  const { admission } = posthorn.daemon.mail;
  const before = admission.connections;
  const clear = await posthorn.connectRelay();
  await clear.say("STARTTLS");
  const relay = await upgraded(clear);
  await relay.say("EHLO relay.example.org");
  expect(admission.connections).toBe(before + 1);
  relay[Symbol.dispose]();
  await expect.poll(() => admission.connections, { timeout: 20_000 }).toBe(before);
});

test("a client certificate of the named CA counts as logged in, another one and none are a stranger's", async () => {
  const relayCertificate = makeCertificate("relay.example");
  const strangers = makeCertificate("relay.example");
  await using own = await temporaryFolder();
  const ca = join(own.path, "ca.pem");
  await writeFile(ca, relayCertificate.cert);
  await using daemon = await startTestDaemon(nats, {
    ...(await writeCertificate(own.path, first)),
    POSTHORN_TLS_CLIENT_CA: ca,
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
    POSTHORN_SMTP_PROXY: "required",
    POSTHORN_CLIENT_MAILS_PER_MINUTE: "1",
  });
  /** How many of five mails are taken, from an address on the Internet. */
  const takenFrom = async (address: string, shown: Partial<TestCertificate>) => {
    const head = `PROXY TCP4 ${address} 127.0.0.1 1 25\r\n`;
    const clear = await connectRelay({ host: "127.0.0.1", port: portOf("smtp", daemon) }, { head });
    await clear.say("STARTTLS");
    const socket = tlsConnect({ socket: clear.socket, servername: NAME, ca: first.cert, ...shown });
    await once(socket, "secureConnect");
    using relay = new Relay(socket, 15_000);
    await relay.say("EHLO relay.example");
    let taken = 0;
    for (let i = 0; i < 5; i += 1) {
      if ((await relay.say(`MAIL FROM:<a@${i}.example>`)).startsWith("250")) taken += 1;
      await relay.say("RSET");
    }
    return taken;
  };
  expect(await takenFrom("192.0.2.1", relayCertificate)).toBe(5);
  expect(await takenFrom("198.51.100.1", strangers)).toBeLessThan(5);
  expect(await takenFrom("203.0.113.1", {})).toBeLessThan(5);
});

test("openssl's client accepts certificate, chain and name over STARTTLS and over SMTPS", async () => {
  for (const [door, more] of [
    ["smtp", ["-starttls", "smtp"]],
    ["smtps", []],
  ] as const) {
    const child = spawn(
      "openssl",
      [
        "s_client",
        "-brief",
        "-verify_return_error",
        "-verify_hostname",
        NAME,
        "-CAfile",
        join(folder.path, "cert.pem"),
        "-connect",
        `127.0.0.1:${portOf(door)}`,
        ...more,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [code] = (await once(child, "close")) as [number];
    expect(said).toContain("Verification: OK");
    expect(code).toBe(0);
  }
});

/** Waits until new handshakes show `certificate`. */
async function untilShown(certificate: TestCertificate): Promise<void> {
  const wanted = certificate.cert.replace(/-----[^-]+-----|\s/g, "");
  const deadline = Date.now() + 20_000;
  for (;;) {
    const socket: TLSSocket = tlsConnect({ host: "127.0.0.1", port: portOf("smtps"), rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const shown = socket.getPeerCertificate().raw.toString("base64");
    socket.destroy();
    if (shown === wanted) return;
    if (Date.now() > deadline) throw new Error("the certificate was not loaded again");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a renewed certificate is used without a restart, half a renewal changes nothing, and sessions stay up", async () => {
  using before = await overSmtps();
  const second = makeCertificate(NAME);
  await writeCertificate(folder.path, second);
  await untilShown(second);
  expect(await before.say("EHLO relay.example.org")).toMatch(/^250/);
  // The new certificate is there, its key not yet: the handshake has to work all the same.
  const third = makeCertificate(NAME);
  await writeCertificate(folder.path, { cert: third.cert, key: second.key });
  process.emit("SIGHUP");
  await untilShown(second);
  await writeCertificate(folder.path, third);
  process.emit("SIGHUP");
  await untilShown(third);
  using clear = await posthorn.connectRelay();
  await clear.say("STARTTLS");
  using relay = await upgraded(clear, third);
  expect(await relay.say("EHLO relay.example.org")).toMatch(/^250/);
});
