import { chmod } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { Exim } from "../support/exim.ts";
import { startExim } from "../support/exim.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";

// A real Exim in front: private configuration and spool, one port on loopback.

const PATIENCE_MS = 60_000;
const DOMAIN = "hooks.example";
let nats: NatsServer;
let posthorn: TestDaemon;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  nats = await startNatsServer();
  folder = await temporaryFolder();
  // Exim reads the certificate when it has dropped its rights.
  await chmod(folder.path, 0o755);
  posthorn = await startTestDaemon(nats, {
    ...(await writeCertificate(folder.path, makeCertificate("localhost"))),
    POSTHORN_MAIL_DOMAIN: DOMAIN,
    POSTHORN_TRUSTED_RELAYS: "127.0.0.1",
  });
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const portOf = (name: "smtp" | "lmtp") =>
  posthorn.daemon.mail.doors
    .find((door) => door.name === name)
    ?.address.split(":")
    .at(-1) ?? "";
const mail = (order: number) =>
  `From: a@shop.example\r\nMessage-ID: <${order}@shop.example>\r\nContent-Type: application/json\r\n\r\n{"order":${order}}\r\n`;

async function sender(exim: Exim): Promise<Relay> {
  return connectRelay({ host: "127.0.0.1", port: exim.port }, { patienceMs: PATIENCE_MS });
}

async function until(what: string, exim: Exim, look: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await look());) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${await exim.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const events = async (from: number) =>
  (await storedIn(posthorn, "POSTHORN_EVENTS")).slice(from).map(
    ({ text }) =>
      (
        JSON.parse(text) as {
          data: { payload: { order: number }; mail: { envelope: { helo: string; protocol: string } } };
        }
      ).data,
  );

test("mail goes through Exim by SMTP over TLS", { timeout: 240_000 }, async () => {
  const tls = [
    "hosts_require_tls = *",
    `tls_verify_certificates = ${folder.path}/cert.pem`,
    "tls_verify_cert_hostnames =",
  ];
  await using exim = await startExim(DOMAIN, { port: portOf("smtp"), options: tls });
  const hook = await posthorn.emailHook();
  const before = (await events(0)).length;
  using relay = await sender(exim);
  expect(await relay.send({ to: `${hook.hookId}@${DOMAIN}`, mail: mail(1) })).toMatch(/^250 /);
  await until("the event", exim, async () => (await events(before)).length > 0);
  const [seen] = await events(before);
  expect(seen).toMatchObject({
    payload: { order: 1 },
    mail: { envelope: { helo: "relay.example", protocol: "ESMTPS" } },
  });
  await until("its line in the log", exim, async () => /C="250 2\.0\.0 [0-9a-z]{26}"/.test(await exim.log()));
});

test("mail goes through Exim by LMTP, and one recipient's 5xx is not the other's", { timeout: 240_000 }, async () => {
  await using exim = await startExim(DOMAIN, { port: portOf("lmtp"), options: ["protocol = lmtp"] });
  const hook = await posthorn.emailHook();
  const before = (await events(0)).length;
  using relay = await sender(exim);
  const to = [`${hook.hookId}@${DOMAIN}`, `nobody@${DOMAIN}`];
  expect(await relay.send({ from: "", to, mail: mail(2) })).toMatch(/^250 /);
  await until("the event", exim, async () => (await events(before)).length === 1);
  await until("the refusal", exim, async () => /nobody@hooks\.example.*550 5\.1\.1/.test(await exim.log()));
});

test("what hears 4xx waits in Exim and arrives once when the hook is open again", { timeout: 240_000 }, async () => {
  await using exim = await startExim(DOMAIN, { port: portOf("smtp"), options: ["hosts_avoid_tls = *"] });
  const hook = await posthorn.emailHook();
  const { registry } = posthorn.daemon.storage;
  await registry.setState(hook.eventName, "paused");
  const before = (await events(0)).length;
  const count = 10;
  using relay = await sender(exim);
  for (let i = 0; i < count; i += 1)
    expect(await relay.send({ to: `${hook.hookId}@${DOMAIN}`, mail: mail(100 + i) })).toMatch(/^250 /);
  await until("a refusal", exim, async () => (await exim.log()).includes("450 4.2.1"));
  expect(await events(before)).toEqual([]);
  await registry.setState(hook.eventName, "enabled");
  await until("every event", exim, async () => (await events(before)).length >= count);
  await until("an empty spool", exim, async () => (await exim.queued()) === 0);
  const orders = (await events(before)).map(({ payload }) => payload.order).sort((a, b) => a - b);
  expect(orders).toEqual(Array.from({ length: count }, (_, index) => 100 + index));
});
