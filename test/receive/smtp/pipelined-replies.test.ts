import { once } from "node:events";
import { connect } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestDaemon } from "../../support/daemon.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import type { NatsServer } from "../../support/nats-server.ts";
import { startNatsServer } from "../../support/nats-server.ts";

let nats: NatsServer;
let posthorn: TestDaemon;

beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats);
});

afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

test("what a relay pipelines is answered in order and in one packet, whether DATA ends the group or not", async () => {
  const { address } = await posthorn.emailHook();
  const smtp = posthorn.daemon.mail.doors.find(({ name }) => name === "smtp")?.address ?? "";
  const socket = connect(Number(smtp.split(":").at(-1)), "127.0.0.1");
  const read = async () => String((await once(socket, "data"))[0]);
  expect(await read()).toMatch(/^220 /);
  socket.write("EHLO relay.example\r\n");
  expect(await read()).toMatch(/^250[- ]/);
  socket.write(`MAIL FROM:<a@shop.example>\r\nRCPT TO:<${address}>\r\nRCPT TO:<${address}>\r\nDATA\r\n`);
  expect((await read()).split("\r\n").map((line) => line.slice(0, 3))).toEqual(["250", "250", "250", "354", ""]);
  // Without DATA the group ends with what was read.
  socket.write("From: a@shop.example\r\n\r\n{}\r\n.\r\n");
  expect(await read()).toMatch(/^250 2\.0\.0 /);
  socket.write(`MAIL FROM:<a@shop.example>\r\nRCPT TO:<nobody@elsewhere.example>\r\n`);
  expect((await read()).split("\r\n").map((line) => line.slice(0, 3))).toEqual(["250", "550", ""]);
  socket.write("QUIT\r\n");
  expect(await read()).toMatch(/^221 /);
  socket.destroy();
});
