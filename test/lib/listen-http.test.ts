import { lookup } from "node:dns/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { listenHttp } from "../../src/lib/listen-http.ts";

const hello = (): Server => createServer((_request, response) => void response.end("hello"));

test("localhost is every address that the machine knows by that name, under one port", async () => {
  const { port, close } = await listenHttp(hello(), { host: "localhost", port: 0 });
  for (const { address, family } of await lookup("localhost", { all: true })) {
    const host = family === 6 ? `[${address}]` : address;
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe("hello");
  }
  await close();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
});

test("a socket in the file system, and an address that is taken", async () => {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-listen-"));
  const path = join(folder, "http.sock");
  const { port, close } = await listenHttp(hello(), { path });
  expect(port).toBe(0);
  const heard = await new Promise<string>((resolve) => {
    const socket = connect(path, () => socket.end("GET / HTTP/1.0\r\n\r\n"));
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
    socket.on("close", () => resolve(text));
  });
  expect(heard).toMatch(/\r\n\r\nhello$/);
  await expect(listenHttp(hello(), { path })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await close();
  await rm(folder, { recursive: true });
});
