import { expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { RelayQueue, compare, openLedger } from "./support/ledger.ts";

const EVENTS = "POSTHORN_EVENTS";
const KEPT = { lost: [], doubled: [], bounced: [] };
const CONNECTIONS = 4;

/** Three servers that know each other; JetStream has a leader when they are all there. */
async function startCluster(stack: AsyncDisposableStack): Promise<NatsServer[]> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = ports.map((port) => `"nats-route://127.0.0.1:${port}"`).join(", ");
  return Promise.all(
    ports.map(async (port, index) =>
      stack.use(
        await startNatsServer({
          config: [
            `server_name: "n${index}"`,
            `jetstream { store_dir: "$FOLDER" }`,
            `cluster { name: "c", listen: "127.0.0.1:${port}", routes: [${routes}] }`,
          ].join("\n"),
        }),
      ),
    ),
  );
}

test("a cluster of three with R3, each server killed in turn under load: nothing lost, nothing doubled", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = await startCluster(stack);
  const url = servers.map((server) => server.url).join(",");
  const env = { POSTHORN_NATS_URL: url, POSTHORN_REPLICAS: "3", POSTHORN_LOG_LEVEL: "info" };
  const [first] = servers;
  if (first === undefined) throw new Error("a cluster without servers");
  // Until a leader is elected nothing can be set up.
  const ledger = stack.use(
    await untilSetUp(() => openLedger(first, { POSTHORN_NATS_URL: url, POSTHORN_REPLICAS: "3" })),
  );
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

async function untilSetUp<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Whether every copy of the event stream is there and up to date. */
async function isWhole(jsm: Awaited<ReturnType<typeof openLedger>>["storage"]["jsm"]): Promise<boolean> {
  const info = await jsm.streams.info(EVENTS).catch(() => undefined);
  const replicas = info?.cluster?.replicas ?? [];
  return replicas.length === 2 && replicas.every(({ current }) => current);
}
