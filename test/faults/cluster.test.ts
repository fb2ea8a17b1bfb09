import { expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import { startNatsCluster } from "../support/nats-cluster.ts";
import { RelayQueue, compare, openLedger } from "./support/ledger.ts";

const EVENTS = "POSTHORN_EVENTS";
const KEPT = { lost: [], doubled: [], bounced: [] };
const CONNECTIONS = 4;

test("a cluster of three with R3, each server killed in turn under load: nothing lost, nothing doubled", async () => {
  await using stack = new AsyncDisposableStack();
  const { servers, url } = stack.use(await startNatsCluster());
  const env = { POSTHORN_NATS_URL: url, POSTHORN_REPLICAS: "3", POSTHORN_LOG_LEVEL: "info" };
  const [first] = servers;
  if (first === undefined) throw new Error("a cluster without servers");
  const ledger = stack.use(await openLedger(first, { POSTHORN_NATS_URL: url, POSTHORN_REPLICAS: "3" }));
  const daemon = stack.use(await startDaemonProcess(url, env));
  const queue = new RelayQueue(() => ({ port: daemon.smtpPort, address: ledger.address }));
  let number = 0;
  let kills = 0;
  const more = (count: number) => queue.add(...Array.from({ length: count }, () => (number += 1)));
  for (const server of servers) {
    more(60);
    const before = queue.accepted.size;
    const delivered = queue.run(CONNECTIONS);
    await expect.poll(() => queue.accepted.size).toBeGreaterThan(before + 10);
    await server.kill();
    kills += 1;
    await delivered;
    await server.start();
    await expect.poll(() => isWhole(ledger.storage.jsm), { timeout: 60_000 }).toBe(true);
  }
  expect(queue.accepted.size).toBe(number);
  expect(await compare(queue, ledger.storage, EVENTS)).toEqual(KEPT);
  process.stdout.write(
    `faults | cluster R3: ${number} mails, ${kills} servers killed; ${queue.retries} retries: ${queue.story}\n`,
  );
});

/** Whether every copy of the event stream is there and up to date. */
async function isWhole(jsm: Awaited<ReturnType<typeof openLedger>>["storage"]["jsm"]): Promise<boolean> {
  const info = await jsm.streams.info(EVENTS).catch(() => undefined);
  const replicas = info?.cluster?.replicas ?? [];
  return replicas.length === 2 && replicas.every(({ current }) => current);
}
