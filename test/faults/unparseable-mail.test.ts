import { expect, test } from "vitest";

import { startTestDaemon, storedIn } from "../support/daemon.ts";
import { startNatsServer } from "../support/nats-server.ts";

const PATIENCE_MS = 600_000;

test("a mail that needs more memory than a thread has ends its thread twice, and is a dead letter; others are events", async () => {
  await using nats = await startNatsServer();
  // Its CPU time is not what ends it here.
  const env = { POSTHORN_PARSE_TIMEOUT: "300s" };
  await using posthorn = await startTestDaemon(nats, env, { deliverMs: PATIENCE_MS });
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay("smtp", { patienceMs: PATIENCE_MS });
  const head = "From: Ada <ada@shop.example>\r\nSubject: Large\r\nMessage-ID: <large@shop.example>\r\n";
  // Of JSON in a text a tree is made, fifty times as large as its bytes.
  const body = `[${"1,".repeat(6_000_000)}1]`;
  const large = relay.send({ to: address, mail: `${head}Content-Type: text/plain\r\n\r\n${body}\r\n` });
  using other = await posthorn.connectRelay("smtp", { patienceMs: PATIENCE_MS });
  for (let number = 1; number <= 3; number += 1) {
    const mail = `Message-ID: <${number}@shop.example>\r\nContent-Type: application/json\r\n\r\n${number}\r\n`;
    expect(await other.send({ to: address, mail })).toMatch(/^250 /);
  }
  expect(await large).toMatch(/^250 /);
  const letters = (await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).map(({ text }) => JSON.parse(text) as unknown);
  expect(letters).toMatchObject([
    {
      reason: { code: "unparseable", title: "The mail could not be parsed", detail: expect.stringContaining("thread") },
      mail: { from: { address: "ada@shop.example" }, subject: "Large", messageId: "<large@shop.example>" },
    },
  ]);
  expect(await storedIn(posthorn, "POSTHORN_EVENTS")).toHaveLength(3);
});
