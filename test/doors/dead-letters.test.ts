import { afterAll, beforeAll, expect, test } from "vitest";

import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";

// Dead letters as an administrator meets them: listed, shown, run again through the same path, taken away.

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

const words = (number: number) =>
  `From: Ada <ada@example.org>\r\nSubject: Words ${number}\r\nMessage-ID: <${number}@example.org>\r\n\r\nJust words.\r\n`;

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await posthornCommand([...args, "--json"], {
    env: { POSTHORN_NATS_URL: nats.url },
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

test("a dead letter is listed and shown, is dead again while nothing changed, becomes an event when it can, or is discarded", async () => {
  const { address } = await posthorn.emailHook();
  using relay = await posthorn.connectRelay();
  const ids: string[] = [];
  for (const number of [1, 2]) {
    const reply = await relay.send({ to: address, mail: words(number) });
    ids.push(/^250 2\.0\.0 (\S{26})$/.exec(reply)?.[1] ?? reply);
  }
  const [first = "", second = ""] = ids;
  expect(await json("dead", "list")).toMatchObject([
    { id: first, reason: { code: "nothing-extracted" }, app: "shop", hook: "Order", hooktype: "email" },
    { id: second, mail: { subject: "Words 2", from: { address: "ada@example.org" } } },
  ]);
  expect(await json("dead", "list", "--reason", "honeypot")).toEqual([]);
  expect(await json("dead", "show", first)).toMatchObject({ id: first, object: expect.any(String) as string });

  const again = await posthornCommand(["dead", "replay", first], { env: { POSTHORN_NATS_URL: nats.url } });
  expect(again).toMatchObject({ code: 1, stdout: `1/1  ${first}  dead-again: nothing-extracted\n` });
  expect(await storedIn(posthorn, "POSTHORN_DEAD_LETTERS")).toHaveLength(2);

  await posthorn.emailHook({ empty: "publish" });
  expect(await json("dead", "replay", first)).toEqual([{ id: first, result: "published" }]);
  const [event] = await storedIn(posthorn, "POSTHORN_EVENTS");
  expect(event?.headers["Nats-Msg-Id"]).toBe(first);
  expect(event?.text).toContain('"payload":null');
  expect(await json("dead", "list")).toMatchObject([{ id: second }]);

  expect(await json("dead", "discard", second)).toEqual({ discarded: [second] });
  expect(await json("dead", "list")).toEqual([]);
  const unknown = await posthornCommand(["dead", "show", second], { env: { POSTHORN_NATS_URL: nats.url } });
  expect(unknown).toMatchObject({
    code: 1,
    stderr: `posthorn: no dead letter ${second}. See \`posthorn dead list\`.\n`,
  });
});

test("a replay without ids asks for them", async () => {
  const { code, stderr } = await posthornCommand(["dead", "replay"], { env: { POSTHORN_NATS_URL: nats.url } });
  expect([code, stderr]).toEqual([2, "posthorn: nothing to replay. Name ids, or --all.\n"]);
});
