import { connect } from "node:net";

import { largeOrderMail, orderMail, placeOfNumber, writeNumber } from "./order-mail.ts";

/** What one run of the generator is asked to do. */
export interface SmtpLoad {
  readonly port: number;
  readonly sessions: number;
  /** Recipients of each mail, all in one transaction. */
  readonly recipients: readonly string[];
  readonly lmtp: boolean;
  /** Either for so long, or so many mails. */
  readonly forMs?: number;
  readonly mails?: number;
  readonly bytes?: number;
  /** Each mail gets another number from here on, so that none is a repeat. */
  readonly firstNumber: number;
}

export interface SmtpLoadResult {
  readonly mails: number;
  readonly seconds: number;
  readonly mailsPerSecond: number;
  /** From the final dot to the reply, in milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly refused: number;
  readonly firstRefusal: string;
  /** CPU time of the generator itself, in microseconds: it shall not be what is measured. */
  readonly cpuMicrosecondsPerMail: number;
}

const LF = 10;
const SPACE = 32;
const READ_BYTES = 4_096;

// A process of its own: all bytes are prepared before the first is sent, and of a reply only what ends it is looked at.
const load = JSON.parse(process.argv[2] ?? "") as SmtpLoad;
const result = await run();
process.stdout.write(`${JSON.stringify(result)}\n`);

async function run(): Promise<SmtpLoadResult> {
  const times: number[] = [];
  const refusals: string[] = [];
  const limit = load.mails ?? Number.POSITIVE_INFINITY;
  let taken = 0;
  let done = 0;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const endsAt = startedAt + (load.forMs ?? Number.POSITIVE_INFINITY);
  const next = () => (taken < limit && performance.now() < endsAt ? load.firstNumber + taken++ : undefined);
  await Promise.all(
    Array.from({ length: load.sessions }, () =>
      session(next, (ms, refusal) => {
        times.push(ms);
        done += 1;
        if (refusal !== undefined) refusals.push(refusal);
      }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = Float64Array.from(times).toSorted();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    mails: done,
    seconds,
    mailsPerSecond: done / seconds,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    refused: refusals.length,
    firstRefusal: refusals[0] ?? "",
    cpuMicrosecondsPerMail: (user + system) / done,
  };
}

/** One connection: envelope and DATA in one write where the server pipelines, the mail, and again. */
function session(next: () => number | undefined, onMail: (ms: number, refusal?: string) => void): Promise<void> {
  const { recipients, lmtp } = load;
  const to = recipients[0] ?? "";
  const mail = load.bytes === undefined ? orderMail(to) : largeOrderMail(to, load.bytes);
  const place = placeOfNumber(mail);
  const body = Buffer.concat([mail, Buffer.from(".\r\n")]);
  const rcpts = recipients.map((address) => `RCPT TO:<${address}>\r\n`).join("");
  const envelope = Buffer.from(`MAIL FROM:<orders@shop.example> SIZE=${mail.length}\r\n${rcpts}DATA\r\n`);
  const envelopeReplies = recipients.length + 2;
  const finalReplies = lmtp ? recipients.length : 1;
  return new Promise((resolve, reject) => {
    let step: "greeting" | "hello" | "envelope" | "mail" | "reset" = "greeting";
    let awaited = 1;
    let sentAt = 0;
    let lineLength = 0;
    let separator = 0;
    let firstByte = 0;
    let refusal: string | undefined;
    const begin = () => {
      const number = next();
      if (number === undefined) return void socket.end("QUIT\r\n");
      writeNumber(body, place, number);
      step = "envelope";
      awaited = envelopeReplies;
      socket.write(envelope);
    };
    const onReplies = () => {
      switch (step) {
        case "greeting":
          step = "hello";
          awaited = 1;
          return void socket.write(lmtp ? "LHLO load.example\r\n" : "EHLO load.example\r\n");
        case "hello":
          return begin();
        case "envelope":
          if (refusal !== undefined) {
            onMail(0, refusal);
            refusal = undefined;
            step = "reset";
            awaited = 1;
            return void socket.write("RSET\r\n");
          }
          step = "mail";
          awaited = finalReplies;
          sentAt = performance.now();
          return void socket.write(body);
        case "mail":
          onMail(performance.now() - sentAt, refusal);
          refusal = undefined;
          return begin();
        case "reset":
          return begin();
      }
    };
    const read = (length: number, chunk: Uint8Array): boolean => {
      for (let at = 0; at < length; at += 1) {
        const byte = chunk[at] ?? 0;
        if (lineLength === 0) firstByte = byte;
        if (lineLength === 3) separator = byte;
        lineLength += 1;
        if (byte !== LF) continue;
        lineLength = 0;
        if (separator !== SPACE) continue;
        // "2" and "3" go on; all else is no success.
        if (firstByte > 51) refusal = Buffer.from(chunk.subarray(0, length)).toString("latin1");
        awaited -= 1;
        if (awaited === 0) onReplies();
      }
      return true;
    };
    // One buffer for all that is read, and no stream around it.
    const onread = { buffer: Buffer.alloc(READ_BYTES), callback: read };
    const socket = connect({ port: load.port, host: "127.0.0.1", noDelay: true, onread });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}
