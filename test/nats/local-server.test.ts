import { mkdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, test } from "vitest";

import { answersNats } from "../../src/nats/connection.ts";
import { startLocalServer } from "../../src/nats/local-server.ts";
import { ownServerOf } from "../../src/nats/own-server.ts";
import { temporaryFolder } from "../support/folder.ts";
import { NodeScript } from "../support/node-script.ts";
import { silentLog } from "../support/silent-log.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const credentials = { user: "posthorn", password: "a-password-of-this-test" };
const login = { user: credentials.user, pass: credentials.password };

const start = (dataDir: string, url: string) =>
  startLocalServer({ settings: { url }, credentials, dataDir, env: process.env, log: silentLog });

async function gone(url: string): Promise<void> {
  while (await answersNats({ url }, 200)) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("our own server keeps what it stored, and its size, over a restart in the same data directory", async () => {
  await using folder = await temporaryFolder();
  const url = `nats://127.0.0.1:${await freePort()}`;
  const sizes: (number | undefined)[] = [];
  for (const subjects of [["first"], ["second"]]) {
    await using _server = await start(folder.path, url);
    await using connection = await connect({ servers: url, ...login });
    sizes.push(ownServerOf(connection)?.maxStoreBytes);
    const jsm = await jetstreamManager(connection);
    await jsm.streams.add({ name: subjects[0] ?? "", subjects });
    expect(await jsm.streams.names().next()).toContain("first");
  }
  expect(sizes[0]).toBeGreaterThan(0);
  expect(sizes[1]).toBe(sizes[0]);
  expect(await answersNats({ url }, 200)).toBe(false);
});

test("our own server takes nobody without its password, and others may not read what it stores", async () => {
  await using folder = await temporaryFolder();
  const url = `nats://127.0.0.1:${await freePort()}`;
  const natsFolder = join(folder.path, "nats");
  // An earlier version left these readable.
  await mkdir(natsFolder, { mode: 0o755 });
  await writeFile(join(natsFolder, "nats.conf"), "", { mode: 0o644 });
  await using _server = await start(folder.path, url);
  await expect(connect({ servers: url })).rejects.toThrow(/authorization/i);
  await expect(connect({ servers: url, user: "posthorn", pass: "guessed" })).rejects.toThrow(/authorization/i);
  await (await connect({ servers: url, ...login })).close();
  expect((await stat(natsFolder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(natsFolder, "nats.conf"))).mode & 0o777).toBe(0o600);
});

test("our own server ends when its Posthorn is killed", async () => {
  await using folder = await temporaryFolder();
  const url = `nats://127.0.0.1:${await freePort()}`;
  await using posthorn = new NodeScript(`
    import { startLocalServer } from "./src/nats/local-server.ts";
    const none = () => {};
    const log = { debug: none, info: none, warn: none, error: none };
    const credentials = ${JSON.stringify(credentials)};
    await startLocalServer({ settings: { url: "${url}" }, credentials, dataDir: ${JSON.stringify(folder.path)}, env: process.env, log });
    console.log("started");
    setInterval(none, 1000);
  `);
  expect(await posthorn.firstLine()).toBe("started");
  expect(await answersNats({ url }, 1_000)).toBe(true);
  await posthorn.kill("SIGKILL");
  await gone(url);
});

test("a port that something else listens on is named, with the place of the server's log", async () => {
  await using folder = await temporaryFolder();
  const other = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  await expect(start(folder.path, `nats://127.0.0.1:${port}`)).rejects.toMatchObject({
    name: "OperatorError",
    message: expect.stringContaining(`127.0.0.1:${port}`),
    hint: `see ${join(folder.path, "nats", "nats.log")}`,
  });
  other.close();
});

test("no server is started for an address of another machine", async () => {
  await using folder = await temporaryFolder();
  await expect(start(folder.path, "nats://192.0.2.1:4222")).rejects.toMatchObject({ name: "OperatorError" });
});
