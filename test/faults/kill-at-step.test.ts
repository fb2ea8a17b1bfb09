import { join } from "node:path";

import { expect, test } from "vitest";

import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import { freePort } from "../support/free-port.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { RelayQueue, compare, openLedger, orderMail, wordsMail } from "./support/ledger.ts";

const PRELOAD = join(import.meta.dirname, "support", "kill-at-step.ts");
/** Mails before each kill, so that a thousand have passed at the end. */
const MAILS_A_ROUND = 30;
const MAX_ROUNDS = 80;

for (const { what, mailOf, stream } of [
  { what: "an event", mailOf: (number: number) => orderMail(number), stream: "POSTHORN_EVENTS" },
  { what: "a dead letter and its object", mailOf: wordsMail, stream: "POSTHORN_DEAD_LETTERS" },
]) {
  test(`killed at its n-th step on the way of ${what}, for every n: each mail is stored once`, async () => {
    await using nats = await startNatsServer();
    await using ledger = await openLedger(nats);
    const port = await freePort();
    const queue = new RelayQueue(() => ({ port, address: ledger.address }), mailOf);
    await using daemon = await startDaemonProcess(
      nats.url,
      { POSTHORN_SMTP_LISTEN: `127.0.0.1:${port}`, POSTHORN_LOG_LEVEL: "info", POSTHORN_TEST_KILL_AT: "1" },
      { preload: [PRELOAD] },
    );
    let number = 0;
    let kills = 0;
    for (let step = 1; ; step += 1) {
      queue.add(...Array.from({ length: MAILS_A_ROUND }, () => (number += 1)));
      await queue.run(3);
      await countSteps(daemon);
      queue.add((number += 1));
      await queue.run(1, () => daemon.hasEnded);
      if (!daemon.hasEnded) await daemon.stop("SIGTERM");
      else kills += 1;
      if (kills < step) break;
      expect(step).toBeLessThan(MAX_ROUNDS);
      await daemon.start({ POSTHORN_TEST_KILL_AT: String(step + 1) });
    }
    expect(queue.accepted.size).toBe(number);
    expect(await compare(queue, ledger.storage, stream)).toEqual({ lost: [], doubled: [], bounced: [] });
    process.stdout.write(
      `faults | kill at step, ${what}: ${number} mails, ${kills} kills (n = 1 to ${kills}), ${queue.retries} retries\n`,
    );
    expect(kills).toBeGreaterThan(10);
  });
}

async function countSteps(daemon: DaemonProcess): Promise<void> {
  const from = daemon.log.length;
  daemon.signal("SIGUSR2");
  await expect.poll(() => daemon.log.slice(from)).toContain("Steps are counted from now on");
}
