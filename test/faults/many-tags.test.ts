import { readFileSync } from "node:fs";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import { openLedger } from "./support/ledger.ts";

// One mail to a hundred tags of one hook is a hundred events, each as large as the mail. It once ended the daemon.
// FULL=1 npm run test:faults -- test/faults/many-tags.test.ts sends all to a hundred; else the large ones go to ten.
const IS_FULL = process.env["FULL"] === "1";
const MB = 1024 * 1024;
const MOST_BYTES = 1024 * MB;

let nats: NatsServer;
let daemon: DaemonProcess;
let ledger: Awaited<ReturnType<typeof openLedger>>;

beforeAll(async () => {
  nats = await startNatsServer();
  daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info" });
  ledger = await openLedger(nats);
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const peakBytes = () =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${daemon.pid}/status`, "latin1"))?.[1]) * 1024;

const CASES = [
  { megabytes: 2, tags: 100, isAnnounced: true },
  { megabytes: 6, tags: IS_FULL ? 100 : 10, isAnnounced: true },
  { megabytes: 20, tags: IS_FULL ? 100 : 10, isAnnounced: true },
  { megabytes: 20, tags: IS_FULL ? 100 : 10, isAnnounced: false },
];

for (const { megabytes, tags: count, isAnnounced } of CASES) {
  const how = isAnnounced ? "announced" : "not announced";
  test(`${megabytes} MB to ${count} tags, ${how}: under 1 GiB, and one event for each tag`, async () => {
    const name = `${megabytes}-${isAnnounced}`;
    const mail = `Message-ID: <${name}@example.org>\r\nContent-Type: application/json\r\n\r\n{"text":"${`${"x".repeat(900)}\\n`.repeat(megabytes * 1_162)}"}\r\n`;
    const waiting = Array.from({ length: count }, (_, tag) => ledger.address.replace("@", `+${name}-${tag}@`));
    let transactions = 0;
    while (waiting.length > 0) {
      using relay = await connectRelay({ host: "127.0.0.1", port: daemon.smtpPort }, { patienceMs: 300_000 });
      await relay.say(`MAIL FROM:<shop@example.org>${isAnnounced ? ` SIZE=${mail.length}` : ""}`);
      const taken: string[] = [];
      for (const address of waiting) {
        const reply = await relay.say(`RCPT TO:<${address}>`);
        if (reply.startsWith("250")) taken.push(address);
        else expect(reply).toMatch(/^452 4\.5\.3 /);
      }
      transactions += 1;
      const reply = await relay.data(mail);
      // Not all of it may be stored within one delivery's time: what was is a duplicate of the next try.
      expect(reply).toMatch(/^(?:250 2\.0\.0|451 4\.3\.[02]) /);
      if (reply.startsWith("250")) waiting.splice(0, taken.length);
      expect(transactions).toBeLessThan(60);
    }
    expect(peakBytes()).toBeLessThan(MOST_BYTES);
    const tags = await tagsIn("POSTHORN_EVENTS", name);
    expect(tags.toSorted()).toEqual(Array.from({ length: count }, (_, tag) => `${name}-${tag}`).toSorted());
    process.stdout.write(
      `faults | ${megabytes} MB to ${count} tags, ${how}: ${transactions} transactions, peak ${Math.round(peakBytes() / MB)} MB\n`,
    );
  });
}

/** The tag of each stored message of this test; where its data is an object, in the object. */
async function tagsIn(stream: string, name: string): Promise<string[]> {
  const { jsm, objects } = ledger.storage;
  const { last_seq: last } = (await jsm.streams.info(stream)).state;
  const tags: string[] = [];
  for (let seq = 1; seq <= last; seq += 1) {
    const text = (await jsm.streams.getMessage(stream, { seq }))?.string() ?? "";
    const dataref = /"dataref":"nats-object:\/\/posthorn_objects\/([^"]+)"/.exec(text)?.[1];
    const whole = dataref === undefined ? text : Buffer.from((await objects.getBlob(dataref)) ?? []).toString();
    const tag = /"tag":"([^"]+)"/.exec(whole.slice(-4_096))?.[1] ?? /"tag":"([^"]+)"/.exec(whole)?.[1];
    if (tag?.startsWith(`${name}-`) === true) tags.push(tag);
  }
  return tags;
}
