import { expect, test } from "vitest";

import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import { RelayQueue, compare, openLedger, orderMail, storedIds } from "./support/ledger.ts";

const EVENTS = "POSTHORN_EVENTS";
const KEPT = { lost: [], doubled: [], bounced: [] };

/** So many daemons on one NATS. */
const startReplicas = (nats: NatsServer, count: number, stack: AsyncDisposableStack): Promise<DaemonProcess[]> =>
  Promise.all(
    Array.from({ length: count }, async () =>
      stack.use(await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info" })),
    ),
  );

async function sendTo(daemon: DaemonProcess, to: string, mail: string): Promise<string> {
  using relay = await connectRelay({ host: "127.0.0.1", port: daemon.smtpPort });
  return await relay.send({ to, mail });
}

test("the same mail to three replicas at once is one event, and each says 250 with the same id", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsServer());
  const replicas = await startReplicas(nats, 3, stack);
  const ledger = stack.use(await openLedger(nats));
  for (let number = 1; number <= 20; number += 1) {
    const replies = await Promise.all(replicas.map((replica) => sendTo(replica, ledger.address, orderMail(number))));
    expect(replies[0]).toMatch(/^250 2\.0\.0 \S{26}$/);
    expect(new Set(replies).size).toBe(1);
  }
  const stored = await storedIds(ledger.storage, EVENTS);
  expect([stored.size, Math.max(...stored.values())]).toEqual([20, 1]);
});

test("what is installed, paused and rotated on one replica's NATS holds on each of them, without a restart", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsServer());
  const replicas = await startReplicas(nats, 2, stack);
  // Installed beside them, after they began.
  const { storage, address } = stack.use(await openLedger(nats));
  const onEach = (to: string, number: number) =>
    Promise.all(replicas.map(async (replica) => (await sendTo(replica, to, orderMail(number))).slice(0, 9)));
  // A miss is read through, so not even the first mail is refused.
  expect(await onEach(address, 1)).toEqual(["250 2.0.0", "250 2.0.0"]);
  await storage.registry.setState("kustomer.app.shop.order", "paused");
  await expect.poll(() => onEach(address, 2)).toEqual(["450 4.2.1", "450 4.2.1"]);
  await storage.registry.setState("kustomer.app.shop.order", "enabled");
  await expect.poll(() => onEach(address, 2)).toEqual(["250 2.0.0", "250 2.0.0"]);
  const { hookId } = await storage.registry.rotate("kustomer.app.shop.order");
  await expect.poll(() => onEach(address, 3)).toEqual(["550 5.1.1", "550 5.1.1"]);
  expect(await onEach(`${hookId}@localhost`, 3)).toEqual(["250 2.0.0", "250 2.0.0"]);
});

test("one of two replicas behind a round-robin is killed while it serves: nothing lost, nothing doubled", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNatsServer());
  const replicas = await startReplicas(nats, 2, stack);
  const ledger = stack.use(await openLedger(nats));
  let turn = 0;
  const queue = new RelayQueue(() => {
    turn += 1;
    return { port: replicas[turn % replicas.length]?.smtpPort ?? 0, address: ledger.address };
  });
  queue.add(...Array.from({ length: 300 }, (_, index) => index + 1));
  const delivered = queue.run(6);
  await expect.poll(() => queue.accepted.size).toBeGreaterThan(100);
  await replicas[0]?.stop("SIGKILL");
  await delivered;
  expect(queue.accepted.size).toBe(300);
  expect(await compare(queue, ledger.storage, EVENTS)).toEqual(KEPT);
  process.stdout.write(`faults | replica killed: 300 mails, 0 lost, 0 doubled; ${queue.retries} retries\n`);
});
