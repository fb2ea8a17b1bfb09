import { expect, test } from "vitest";

import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { eventually } from "../support/eventually.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { RelayQueue, compare, openLedger, orderMail } from "./support/ledger.ts";

const EVENTS = "POSTHORN_EVENTS";
const CONNECTIONS = 6;
const KEPT = { lost: [], doubled: [], bounced: [] };

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Running {
  readonly nats: NatsServer;
  readonly daemon: DaemonProcess;
  readonly queue: RelayQueue;
}

/** Sends `mails` from a relay's queue while `fault` does its worst; every one is stored once in the end. */
async function survive(
  name: string,
  mails: number,
  fault: (running: Running) => Promise<void>,
  options: { readonly natsUrl?: (nats: NatsServer) => string; readonly nats?: NatsServer } = {},
): Promise<void> {
  await using own = options.nats === undefined ? await startNatsServer() : undefined;
  const nats = options.nats ?? (own as NatsServer);
  await using daemon = await startDaemonProcess(options.natsUrl?.(nats) ?? nats.url, { POSTHORN_LOG_LEVEL: "info" });
  await using ledger = await openLedger(nats);
  const queue = new RelayQueue(() => ({ port: daemon.smtpPort, address: ledger.address }));
  queue.add(...numbers(mails));
  let isOver = false;
  const faulty = fault({ nats, daemon, queue }).finally(() => (isOver = true));
  // Mails keep coming for as long as the fault lasts.
  let next = mails;
  const running = (async () => {
    while (!isOver) {
      await queue.run(CONNECTIONS);
      if (!isOver) {
        queue.add(...numbers(20, next + 1));
        next += 20;
      }
    }
    await queue.run(CONNECTIONS);
  })();
  await Promise.all([faulty, running]);
  expect(queue.accepted.size).toBe(next);
  await expect.poll(() => compare(queue, ledger.storage, EVENTS)).toEqual(KEPT);
  process.stdout.write(
    `faults | ${name}: ${next} mails, 0 lost, 0 doubled; ${queue.retries} retries: ${queue.story}\n`,
  );
}

test("nats-server killed and started again, three times under load", async () => {
  await survive("nats killed", 200, async ({ nats, queue: mails }) => {
    for (let i = 1; i <= 3; i += 1) {
      await expect.poll(() => mails.accepted.size).toBeGreaterThan(50 * i);
      await nats.kill();
      await sleep(500);
      await nats.start();
    }
  });
});

for (const seconds of [5, 60]) {
  test(`nats-server stopped for ${seconds} s under load: kept waiting or refused, and taken afterwards`, async () => {
    await survive(`nats stopped ${seconds} s`, 100, async ({ nats, queue: mails }) => {
      await expect.poll(() => mails.accepted.size).toBeGreaterThan(20);
      nats.pause();
      await sleep(seconds * 1_000);
      nats.resume();
    });
  });
}

test("a connection to NATS that is slow and is cut again and again", async () => {
  await using nats = await startNatsServer();
  await using proxy = await startTcpProxy(nats.port);
  await survive(
    "nats slow and cut",
    150,
    async ({ queue: mails }) => {
      proxy.delayMs = 20;
      for (let i = 1; i <= 6; i += 1) {
        await expect.poll(() => mails.accepted.size).toBeGreaterThan(15 * i);
        // The ack of what is on its way gets lost, and a publish may be cut in two.
        proxy.holdReplies();
        await sleep(50);
        proxy.cut();
      }
      proxy.delayMs = 0;
    },
    { nats, natsUrl: () => proxy.url },
  );
});

test("JetStream switched off and on again: 451 4.3.0 in the meantime", async () => {
  await survive("no JetStream", 50, async ({ nats, queue: mails }) => {
    await expect.poll(() => mails.accepted.size).toBeGreaterThan(20);
    await nats.restart("");
    // It stays off for so many refusals that most of them fall behind the reconnect.
    const refused = () =>
      [...mails.postponed].reduce((sum, [why, count]) => sum + (why.startsWith("451 4.3.0") ? count : 0), 0);
    const before = refused();
    await expect.poll(() => refused() - before).toBeGreaterThan(50);
    await nats.restart(`jetstream { store_dir: "$FOLDER" }\nmax_payload: 8MB`);
  });
});

test("the registry's bucket deleted: mail for known hooks is taken all the same", async () => {
  await survive("registry deleted", 100, async ({ nats, queue: mails }) => {
    await expect.poll(() => mails.accepted.size).toBeGreaterThan(20);
    const { jetstreamManager } = await import("@nats-io/jetstream");
    const connection = await nats.connect();
    await (await jetstreamManager(connection)).streams.delete("KV_posthorn_registry");
    await connection.close();
    const before = mails.accepted.size;
    await expect.poll(() => mails.accepted.size).toBeGreaterThan(before + 50);
  });
});

test("max_payload made smaller than the event: it travels through the Object Store", async () => {
  const config = (maxPayload: string) => `jetstream { store_dir: "$FOLDER" }\nmax_payload: ${maxPayload}`;
  await using nats = await startNatsServer({ config: config("8MB") });
  await using daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info" });
  await using ledger = await openLedger(nats);
  const mails = new RelayQueue(
    () => ({ port: daemon.smtpPort, address: ledger.address }),
    (number) => orderMail(number, `,"text":"${"x".repeat(100_000)}"`),
  );
  mails.add(1);
  await mails.run(1);
  await nats.restart(config("64KB"));
  mails.add(2);
  await mails.run(1);
  expect(await compare(mails, ledger.storage, EVENTS)).toEqual(KEPT);
  const second = await eventually(() => ledger.storage.jsm.streams.getMessage(EVENTS, { seq: 2 }));
  expect(second?.string()).toContain('"dataref":"nats-object://posthorn_objects/');
});
