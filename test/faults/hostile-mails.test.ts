import { expect, test } from "vitest";

import { startDaemonProcess } from "../support/daemon-process.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { RelayQueue, compare, openLedger } from "./support/ledger.ts";

const EVERY_MS = 100;

const head = (type: string) =>
  `From: evil@example.org\r\nSubject: hostile\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n`;
const html = (body: string) => `${head("text/html; charset=utf-8")}\r\n${body}\r\n`;
const json = (body: string) => `${head("application/json")}\r\n${body}\r\n`;
const text = (body: string, type = "text/plain") => `${head(type)}\r\n${body}\r\n`;
const lines = (body: string) => body.replace(/.{900}/g, "$&\r\n");

/** Each is cheap to send and was expensive for some reader. */
const HOSTILE: Readonly<Record<string, () => string>> = {
  "100,000 nested divs": () => html(lines("<div>".repeat(100_000))),
  "50,000 parts": () => text("--b\r\n\r\nx\r\n".repeat(50_000), 'multipart/mixed; boundary="b"'),
  "a header of 1 MB": () => `Subject: ${"x".repeat(1_000_000)}\r\n${json("{}")}`,
  "one line of 25 MB": () => text("x".repeat(25_000_000)),
  "2 MB of format=flowed": () => text("> quoted and flowed \r\n".repeat(100_000), "text/plain; format=flowed"),
  "JSON of depth 100,000": () => json("[".repeat(100_000) + "]".repeat(100_000)),
  "10,000 scripts": () => html('<script type="application/ld+json">{"@type":"A"}</script>\r\n'.repeat(10_000)),
  "base64 that looks like a zip": () =>
    `${head("application/zip")}Content-Transfer-Encoding: base64\r\n\r\n${`UEsDBBQAAAAIAA${"A".repeat(62)}\r\n`.repeat(50_000)}`,
  "200 nested message/rfc822": () => `${head("message/rfc822")}\r\n`.repeat(200) + json("{}"),
  "a remote @context": () => json('{"@context":"http://169.254.169.254/latest","@type":"Order"}'),
  "keys of prototypes": () => json('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  "NUL everywhere": () => text('\0{"a"\0:1}\0'.repeat(10_000)),
  "a million open braces in prose": () => text(lines("{[".repeat(500_000))),
};

test("hostile mails of every kind, and an ordinary mail every tenth of a second: each ordinary one gets its 250", async () => {
  await using nats = await startNatsServer();
  await using daemon = await startDaemonProcess(nats.url, { POSTHORN_LOG_LEVEL: "info", POSTHORN_PARSE_TIMEOUT: "5s" });
  await using ledger = await openLedger(nats);
  const kinds = Object.values(HOSTILE);
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
