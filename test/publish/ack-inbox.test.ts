import { headers } from "@nats-io/transport-node";
import { expect, test } from "vitest";

import { causeOf } from "../../src/nats/cause-of.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { AckInbox } from "../../src/publish/ack-inbox.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { silentLog } from "../support/silent-log.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

test("a try whose ack was lost with its connection ends with it, long before its timeout", async () => {
  await using nats = await startNatsServer();
  await using proxy = await startTcpProxy(nats.port);
  const { connection } = await connectNats({ url: proxy.url }, silentLog);
  // Longer than this test may take.
  const inbox = new AckInbox(connection, { inboxPrefix: "_INBOX.test", timeoutMs: 600_000 });
  proxy.holdReplies();
  const ack = inbox.publish("nobody.listens", new Uint8Array(), headers(), new AbortController().signal);
  const cause = ack.then(
    () => "an ack",
    (error: unknown) => causeOf(error),
  );
  await expect.poll(() => proxy.heldBytes).toBeGreaterThan(0);
  proxy.cut();
  expect(await cause).toBe("nats-away");
  await connection.close();
});
