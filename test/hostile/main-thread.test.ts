import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { FAMILIES } from "../bench/families.ts";
import { HOSTILE_MAILS } from "../faults/support/hostile-mails.ts";
import type { DaemonProcess } from "../support/daemon-process.ts";
import { startDaemonProcess } from "../support/daemon-process.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { connectRelay } from "../support/relay.ts";
import { openLedger } from "../faults/support/ledger.ts";
import { mailOfFamily } from "./support/mail-of-family.ts";
import { SIGNED_ATTACKS } from "./support/signed-attacks.ts";

// The invariant of the house: the thread that answers everybody only moves bytes. All hostile inputs go in through the door,
// and the longest stretch of CPU time without a rest is looked at: a mail that was read there would be seen at once.
const MOST_MS = 60;
const SIZE = 250_000;
const SESSIONS = 3;

let nats: NatsServer;
let daemon: DaemonProcess;
let address: string;

beforeAll(async () => {
  nats = await startNatsServer();
  daemon = await startDaemonProcess(
    nats.url,
    { POSTHORN_PARSE_TIMEOUT: "2s", POSTHORN_LOG_LEVEL: "info" },
    { preload: [join(import.meta.dirname, "support", "stretches.ts")] },
  );
  address = (await openLedger(nats)).address;
  // What is loaded and compiled at the first mails is no mail's cost.
  await sendAll(Array.from({ length: 50 }, (_, index) => `Subject: ${index}\r\n\r\n{"a":${index}}\r\n`));
  await longestStretch();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const clean = (mail: string) => mail.replace(/\r\n|\r|\n/g, "\r\n");

const KINDS: Readonly<Record<string, () => string[]>> = {
  "hostile families at 250 KB": () => FAMILIES.map((family) => mailOfFamily(family, SIZE)),
  "hostile mails of up to 25 MB": () => Object.values(HOSTILE_MAILS).map((build) => clean(build())),
  "signatures that cost": () => Object.values(SIGNED_ATTACKS).map((build) => clean(build(SIZE))),
};

for (const [kind, build] of Object.entries(KINDS))
  test(`${kind}: the main thread comes to rest, and each mail hears a final answer`, async () => {
    const mails = build();
    const replies = await sendAll(mails);
    expect(replies.filter((reply) => !/^[25]\d\d /.test(reply))).toEqual([]);
    expect(await longestStretch()).toBeLessThan(MOST_MS);
  });

/** Each mail once, until a reply is final: a relay comes again. */
async function sendAll(mails: readonly string[]): Promise<string[]> {
  const replies: string[] = [];
  let next = 0;
  const session = async () => {
    for (let index = next++; index < mails.length; index = next++)
      for (let tries = 0; tries < 20; tries += 1) {
        using relay = await connectRelay({ host: "127.0.0.1", port: daemon.smtpPort }, { patienceMs: 120_000 });
        const reply = await relay.send({ to: address, mail: mails[index] ?? "" });
        replies[index] = reply;
        if (!reply.startsWith("4")) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
  };
  await Promise.all(Array.from({ length: SESSIONS }, session));
  return replies;
}

async function longestStretch(): Promise<number> {
  const from = daemon.log.length;
  daemon.signal("SIGUSR2");
  for (;;) {
    const found = /longest stretch ([\d.]+) ms/.exec(daemon.log.slice(from))?.[1];
    if (found !== undefined) return Number(found);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
