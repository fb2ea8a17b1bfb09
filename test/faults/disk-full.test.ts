import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { posthornCommand } from "../support/posthorn-command.ts";
import { RelayQueue, compare, openLedger, orderMail } from "./support/ledger.ts";
import { smallDisk } from "./support/small-disk.ts";

const EVENTS = "POSTHORN_EVENTS";
const KEPT = { lost: [], doubled: [], bounced: [] };
const BIG = `,"text":"${"x".repeat(60_000)}"`;

test("the disk under nats-server fills up: 4xx, never 250, and mail is taken again when there is room", async () => {
  await using disk = await smallDisk(24);
  const ballast = join(disk.path, "ballast");
  await using nats = await startNatsServer({
    config: `jetstream { store_dir: "${disk.path}", max_file_store: 1GB }\nmax_payload: 8MB`,
  });
  const adminListen = `127.0.0.1:${await freePort()}`;
  const env = { POSTHORN_LOG_LEVEL: "info", POSTHORN_ADMIN_LISTEN: adminListen };
  await using daemon = await startDaemonProcess(nats.url, env);
  await using ledger = await openLedger(nats);
  const queue = new RelayQueue(
    () => ({ port: daemon.smtpPort, address: ledger.address }),
    (number) => orderMail(number, BIG),
  );
  await writeFile(ballast, Buffer.alloc(8 * 1024 * 1024));
  queue.add(...Array.from({ length: 300 }, (_, index) => index + 1));
  const filled = () => [...queue.postponed.keys()].some((why) => why.startsWith("45"));
  await queue.run(2, filled);
  expect(queue.story).toMatch(/45[12] 4\.3\./);
  // Whatever is left of JetStream then, doctor looks at all it can and says it in lines.
  const doctor = await posthornCommand(["doctor", "--json"], {
    env: { POSTHORN_NATS_URL: nats.url, POSTHORN_ADMIN_LISTEN: adminListen, POSTHORN_DNS_SERVERS: "127.0.0.1:1" },
  });
  expect(doctor.code).toBe(1);
  expect(doctor.stderr).not.toMatch(/our fault| {4}at /);
  const checks = JSON.parse(doctor.stdout) as { name: string; ok: boolean; detail: string }[];
  expect(checks.find(({ name }) => name === "daemon")).toMatchObject({
    ok: false,
    detail: expect.stringContaining("is not ready"),
  });
  expect(checks.find(({ name }) => name === "publishing")?.detail).toMatch(/^storing in \w+ failed \d+ s ago: /);
  const before = queue.accepted.size;
  await queue.run(2, () => queue.retries > 40);
  await rm(ballast);
  // What nats-server gave up when a write failed comes back with a restart.
  await nats.restart();
  await queue.run(2, () => queue.accepted.size >= before + 20);
  expect(queue.accepted.size).toBeGreaterThanOrEqual(before + 20);
  expect(await compare(queue, ledger.storage, EVENTS)).toEqual(KEPT);
  process.stdout.write(`faults | disk full: ${queue.accepted.size} mails, 0 lost, 0 doubled; ${queue.story}\n`);
});
