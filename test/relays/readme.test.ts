import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { once } from "node:events";

import { afterAll, beforeAll, expect, test } from "vitest";

import { makeCertificate, writeCertificate } from "../support/certificate.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startHaproxy } from "../support/haproxy.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { startPostfix } from "../support/postfix.ts";
import { Relay, connectRelay } from "../support/relay.ts";

// The README's three ways to stand in the world, word by word; only ports and the certificate's folder differ.

const PATIENCE_MS = 60_000;
const DOMAIN = "hooks.example.org";
let nats: NatsServer;
let readme: string;
beforeAll(async () => {
  nats = await startNatsServer();
  readme = await readFile(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
});
afterAll(() => nats[Symbol.asyncDispose]());

/** The lines of a section that are to be copied. */
function linesOf(heading: string): string[] {
  const section = (readme.split(`\n${heading}\n`)[1] ?? "").split(/\n#{2,3} /)[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("    "));
  expect(lines.length, heading).toBeGreaterThan(2);
  return lines.map((line) => line.slice(4));
}

/** The daemon as a section sets it up, on a free port instead of the one written there. */
function daemonOf(lines: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<TestDaemon> {
  const written = lines
    .filter((line) => line.startsWith("POSTHORN_"))
    .map((line) => line.split("=", 2) as [string, string]);
  const env = Object.fromEntries(
    written.map(([name, value]) => [name, name.endsWith("_LISTEN") ? value.replace(/:\d+$/, ":0") : value]),
  );
  return startTestDaemon(nats, { ...env, ...more });
}

const portOf = (posthorn: TestDaemon) =>
  posthorn.daemon.mail.doors
    .find(({ name }) => name === "smtp")
    ?.address.split(":")
    .at(-1) ?? "";
const mail = (n: number) => `From: a@shop.example\r\nContent-Type: application/json\r\n\r\n{"n":${n}}\r\n`;

async function newestEnvelope(posthorn: TestDaemon, count: number) {
  for (const deadline = Date.now() + PATIENCE_MS; ;) {
    const events = await storedIn(posthorn, "POSTHORN_EVENTS");
    if (events.length >= count)
      return (
        JSON.parse(events.at(-1)?.text ?? "{}") as {
          data: { mail: { envelope: { remoteAddress: string; helo: string; protocol: string } } };
        }
      ).data.mail.envelope;
    if (Date.now() > deadline) throw new Error("waited in vain for the event");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const stored = async (posthorn: TestDaemon) => (await storedIn(posthorn, "POSTHORN_EVENTS")).length;

test("put it behind Postfix", { timeout: 240_000 }, async () => {
  const lines = linesOf("### Put it behind Postfix");
  await using posthorn = await daemonOf(lines);
  const settings = Object.fromEntries(
    lines
      .filter((line) => / = /.test(line))
      .map((line) => /^(\w+) = (.*)$/.exec(line)?.slice(1) as [string, string])
      .map(([name, value]) => [name, value.replace(":2525", `:${portOf(posthorn)}`)]),
  );
  await using postfix = await startPostfix(DOMAIN, "error:the README says otherwise", settings);
  const hook = await posthorn.emailHook();
  const before = await stored(posthorn);
  using relay = await connectRelay({ host: "127.0.0.1", port: postfix.port }, { patienceMs: PATIENCE_MS });
  await relay.say("XCLIENT ADDR=192.0.2.44 NAME=mail.shop.example");
  await relay.say("EHLO mail.shop.example");
  expect(await relay.send({ to: `${hook.hookId}@${DOMAIN}`, mail: mail(1) })).toMatch(/^250 /);
  expect(await newestEnvelope(posthorn, before + 1)).toMatchObject({
    remoteAddress: "192.0.2.44",
    helo: "mail.shop.example",
  });
});

test("put it behind a load balancer", { timeout: 240_000 }, async () => {
  const lines = linesOf("### Put it behind a load balancer");
  await using posthorn = await daemonOf(lines);
  const backend = lines.filter((line) => !line.startsWith("POSTHORN_")).join("\n");
  await using balancer = await startHaproxy(backend.replace(":2525", `:${portOf(posthorn)}`));
  const hook = await posthorn.emailHook();
  const before = await stored(posthorn);
  using relay = await connectRelay({ host: "127.0.0.1", port: balancer.port, localAddress: "127.0.0.77" });
  expect(await relay.send({ to: `${hook.hookId}@${DOMAIN}`, mail: mail(2) })).toMatch(/^250 2\.0\.0 /);
  expect((await newestEnvelope(posthorn, before + 1)).remoteAddress).toBe("127.0.0.77");
});

test("put it right on the Internet", { timeout: 240_000 }, async () => {
  const lines = linesOf("### Put it right on the Internet");
  const certificate = makeCertificate(DOMAIN);
  await using folder = await temporaryFolder();
  await using posthorn = await daemonOf(lines, await writeCertificate(folder.path, certificate));
  const hook = await posthorn.emailHook();
  const before = await stored(posthorn);
  using clear = await connectRelay({ host: "127.0.0.1", port: Number(portOf(posthorn)) });
  expect(await clear.say("STARTTLS")).toMatch(/^220 /);
  const socket = tlsConnect({ socket: clear.socket, servername: DOMAIN, ca: certificate.cert });
  await once(socket, "secureConnect");
  using relay = new Relay(socket, PATIENCE_MS);
  await relay.say("EHLO mail.shop.example");
  expect(await relay.send({ to: `${hook.hookId}@${DOMAIN}`, mail: mail(3) })).toMatch(/^250 2\.0\.0 /);
  expect((await newestEnvelope(posthorn, before + 1)).protocol).toBe("ESMTPS");
});
