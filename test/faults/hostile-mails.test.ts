import { expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { HOSTILE_MAILS } from "./support/hostile-mails.ts";
import { RelayQueue, compare, openLedger } from "./support/ledger.ts";

const EVERY_MS = 100;

test("hostile mails of every kind, and an ordinary mail every tenth of a second: each ordinary one gets its 250", async () => {
  await using nats = await startNatsServer();
  await using daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info", POSTHORN_PARSE_TIMEOUT: "5s" });
  await using ledger = await openLedger(nats);
  const kinds = Object.values(HOSTILE_MAILS);
  const to = () => ({ port: daemon.smtpPort, address: ledger.address });
  const hostile = new RelayQueue(to, (number) => kinds[number]?.() ?? "");
  hostile.add(...kinds.keys());
  let isOver = false;
  const attack = hostile.run(3).finally(() => (isOver = true));
  const ordinary = new RelayQueue(to);
  const tookMs: number[] = [];
  for (let number = 1; !isOver || number < 20; number += 1) {
    const startedAt = performance.now();
    ordinary.add(number);
    await ordinary.run(1);
    tookMs.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await attack;
  // Not one was put off: 250 at the first try.
  expect(ordinary.story).toBe("");
  expect(ordinary.accepted.size).toBe(tookMs.length);
  expect((await compare(ordinary, ledger.storage, "POSTHORN_EVENTS")).lost).toEqual([]);
  // Each hostile one was answered for good, too: none circles in its relay's queue.
  expect(hostile.accepted.size + hostile.bounced.size).toBe(kinds.length);
  tookMs.sort((one, other) => one - other);
  const at = (share: number) => Math.round(tookMs[Math.floor((tookMs.length - 1) * share)] ?? 0);
  process.stdout.write(
    `faults | hostile mails: ${kinds.length} kinds, ${tookMs.length} ordinary mails beside them, all 250; ` +
      `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; put off: ${hostile.story}; refused: ${[...hostile.bounced.values()].join("; ")}\n`,
  );
});
