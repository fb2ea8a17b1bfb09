import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { nkeys } from "@nats-io/transport-node";
import { expect, test } from "vitest";

import { answersNats, connectNats } from "../../src/nats/connection.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { silentLog } from "../support/silent-log.ts";

const PASSWORD = "correct-horse";

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a server that goes and comes back is noticed and said, and requests work again", async () => {
  await using server = await startNatsServer();
  const log = recordedLog();
  const nats = await connectNats({ url: server.url }, log);
  expect(nats.isConnected()).toBe(true);
  await server.kill();
  await until(() => !nats.isConnected());
  await server.start();
  await until(() => nats.isConnected());
  await nats.connection.flush();
  expect(log.lines.map(({ sentence }) => sentence)).toEqual([
    "NATS is away; mail is answered with 451 until it is back",
    "NATS is back",
  ]);
  await nats.connection.close();
  expect(nats.isConnected()).toBe(false);
});

test("a server that refuses us for a while does not end the connection for good", async () => {
  const users = (password: string) => `authorization { user: me, password: "${password}" }`;
  await using server = await startNatsServer({ config: users(PASSWORD) });
  const log = recordedLog();
  const nats = await connectNats({ url: server.url, user: "me", password: PASSWORD }, log);
  await server.restart(users("another"));
  const refusals = () => log.lines.filter(({ level }) => level === "error").length;
  await until(() => refusals() >= 4);
  await server.restart(users(PASSWORD));
  await until(() => nats.isConnected());
  expect(JSON.stringify(log.lines)).not.toContain(PASSWORD);
  await nats.connection.close();
});

test("credentials in the URL count, and no error repeats them", async () => {
  await using server = await startNatsServer({ config: `authorization { user: me, password: "${PASSWORD}" }` });
  const at = `127.0.0.1:${server.port}`;
  const nats = await connectNats({ url: `nats://me:${PASSWORD}@${at}` }, silentLog);
  await nats.connection.close();
  await expect(connectNats({ url: `nats://me:wrong-${PASSWORD}@${at}` }, silentLog)).rejects.toMatchObject({
    name: "OperatorError",
    message: `NATS at nats://…@${at} refuses our credentials`,
    exitCode: 1,
  });
});

test("a token, an nkey seed and a file with one let us in", async () => {
  await using folder = await temporaryFolder();
  await using byToken = await startNatsServer({ config: `authorization { token: "${PASSWORD}" }` });
  await (await connectNats({ url: byToken.url, token: PASSWORD }, silentLog)).connection.close();

  const user = nkeys.createUser();
  const seed = Buffer.from(user.getSeed()).toString();
  const file = join(folder.path, "seed.nk");
  await writeFile(file, `${seed}\n`);
  await using byKey = await startNatsServer({ config: `authorization { users [{ nkey: ${user.getPublicKey()} }] }` });
  await (await connectNats({ url: byKey.url, nkey: seed }, silentLog)).connection.close();
  const nats = await connectNats({ url: byKey.url, nkey: file }, silentLog);
  // A file that is gone for a moment, while it is renewed, does not end the connection.
  await rm(file);
  await byKey.restart();
  await until(() => nats.isConnected());
  await nats.connection.flush();
  await nats.connection.close();
});

test.each([
  { credsFile: "/nowhere/posthorn.creds" },
  { nkey: "/nowhere/seed" },
  { caFile: "/nowhere/ca.pem" },
  { credsFile: import.meta.filename },
  { nkey: import.meta.filename },
])("a file that cannot be used is a wrong setting: %j", async (setting) => {
  await expect(connectNats({ url: "nats://127.0.0.1:1", ...setting }, silentLog)).rejects.toMatchObject({
    name: "OperatorError",
    exitCode: 78,
  });
});

test("TLS is used when the server asks for it, and what is wrong with it is said", async () => {
  await using folder = await temporaryFolder();
  const [cert, key] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    cert,
    ...subject,
  ];
  execFileSync("openssl", made, { stdio: "ignore" });
  await using server = await startNatsServer({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` });
  await (await connectNats({ url: server.url, caFile: cert }, silentLog)).connection.close();
  await expect(connectNats({ url: server.url }, silentLog)).rejects.toMatchObject({
    message: `no TLS connection to NATS at ${server.url}: DEPTH_ZERO_SELF_SIGNED_CERT`,
    hint: expect.stringContaining("POSTHORN_NATS_CA"),
  });
  await using plain = await startNatsServer({ config: "" });
  for (const settings of [{ url: plain.url.replace("nats:", "tls:") }, { url: plain.url, caFile: cert }]) {
    await expect(connectNats(settings, silentLog)).rejects.toMatchObject({
      message: `NATS at ${settings.url} does not speak TLS`,
    });
  }
});

test("where nobody answers, the error says so; a server that starts in the meantime is waited for", async () => {
  await using server = await startNatsServer();
  await server.kill();
  await expect(connectNats({ url: server.url }, silentLog)).rejects.toMatchObject({
    message: `no NATS server answers at ${server.url} (ECONNREFUSED)`,
    exitCode: 1,
  });
  const log = recordedLog();
  const connecting = connectNats({ url: server.url }, log, { keepTryingMs: 20_000 });
  await until(() => log.lines.length > 0);
  await server.start();
  await (await connecting).connection.close();
});

test("a listener that says nothing, or something else, is no NATS server", async () => {
  for (const greeting of ["", "220 mail.example ESMTP\r\n"]) {
    const other = createServer((socket) => socket.on("error", () => undefined).write(greeting)).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    expect(await answersNats({ url: `nats://127.0.0.1:${port}` }, 200)).toBe(false);
    other.close();
  }
});

test("a subject that we may not subscribe is named once", async () => {
  const config = `authorization { users [{ user: me, password: "${PASSWORD}", permissions { subscribe: ["_INBOX.posthorn.>"] } }] }`;
  await using server = await startNatsServer({ config });
  const log = recordedLog();
  const nats = await connectNats({ url: server.url, user: "me", password: PASSWORD }, log);
  for (let round = 0; round < 3; round += 1) {
    nats.connection.subscribe("orders", { callback: () => undefined });
    await nats.connection.flush();
  }
  // Our own inbox is inside what this user may subscribe.
  await expect(nats.connection.request("nobody.listens")).rejects.toThrow(/no responders/);
  expect(log.lines.map(({ fields }) => fields)).toEqual([{ operation: "subscription", natsSubject: "orders" }]);
  await nats.connection.close();
});
