import { connect } from "node:net";

import { startNatsServer } from "../support/nats-server.ts";
import { ORDER_HOOK, startPosthorn } from "./contestant.ts";
import { cpuMsOf, memoryMbOf } from "./cpu-time.ts";
import { orderMail, placeOfNumber, writeNumber } from "./load/order-mail.ts";
import { flagValue } from "./flags.ts";
import { report, spreadOf } from "./rounds.ts";

// From `posthorn serve` to the first 250 with NATS up and the app installed, and what an idle daemon with two workers
// holds and uses. Run: npm run bench -- start [--rounds 5] [--idle-ms 10000]
const rounds = Number(flagValue("--rounds") ?? 5);
const idleMs = Number(flagValue("--idle-ms") ?? 10_000);
const SETTLE_MS = 2_000;
/** After so long a daemon has written down its compiled code for the next start. */
const CODE_KEPT_MS = 7_000;
const FIRST_PORT = 20_000;

await using nats = await startNatsServer();
const port = FIRST_PORT + (process.pid % 10_000);
const options = {
  hooks: [ORDER_HOOK],
  env: { POSTHORN_WORKERS: "2", POSTHORN_SMTP_LISTEN: `127.0.0.1:${port}` },
};
const firstReplyMs: number[] = [];
const startCpuMs: number[] = [];
let idleMb = Number.NaN;
let idleShare = Number.NaN;
// The first start makes the streams, installs the app and fills the cache of compiled code; it is not counted.
let address = "";
for (let round = 0; round <= rounds; round += 1) {
  const startedAt = performance.now();
  const reply = address === "" ? undefined : firstReply(address, round);
  await using posthorn = await startPosthorn(nats.url, options);
  address = posthorn.target;
  if (reply === undefined) {
    await pause(CODE_KEPT_MS);
    continue;
  }
  firstReplyMs.push((await reply) - startedAt);
  startCpuMs.push(cpuMsOf(posthorn.pid));
  if (round < rounds) continue;
  await pause(SETTLE_MS);
  const cpuBefore = cpuMsOf(posthorn.pid);
  await pause(idleMs);
  idleShare = ((cpuMsOf(posthorn.pid) - cpuBefore) / idleMs) * 100;
  idleMb = memoryMbOf(posthorn.pid).now;
}
await report("start", [
  { what: "serve to first 250", measured: spreadOf(firstReplyMs), unit: "ms", target: 1_000, atMost: true },
  { what: "CPU time until then", measured: spreadOf(startCpuMs), unit: "ms" },
  { what: "idle, resident memory", measured: spreadOf([idleMb]), unit: "MB", target: 150, atMost: true },
  { what: "idle, share of one core", measured: spreadOf([idleShare]), unit: "%", target: 0.5, atMost: true },
]);

/** When the first mail was answered 250, on the clock of `performance.now()`; knocks until the door is open. */
async function firstReply(to: string, number: number): Promise<number> {
  const mail = orderMail(to);
  writeNumber(mail, placeOfNumber(mail), number);
  const envelope = `EHLO start.example\r\nMAIL FROM:<orders@shop.example>\r\nRCPT TO:<${to}>\r\nDATA\r\n`;
  for (;;) {
    const answered = await new Promise<number | undefined>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let heard = "";
      socket.setEncoding("latin1");
      socket.on("data", (text: string) => {
        const before = heard;
        heard += text;
        if (before === "") socket.write(envelope);
        if (!before.includes("\r\n354 ") && heard.includes("\r\n354 ")) {
          socket.write(mail);
          socket.write(".\r\n");
        } else if (/\r\n354 [^\r]*\r\n250 /.test(heard)) {
          resolve(performance.now());
          socket.end("QUIT\r\n");
        }
      });
      socket.on("error", () => resolve(undefined));
      socket.on("close", () => resolve(undefined));
    });
    if (answered !== undefined) return answered;
    await pause(5);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
