import { HOSTILE_MAILS } from "../../faults/support/hostile-mails.ts";
import { connectRelay } from "../../support/relay.ts";
import { orderMail, placeOfNumber, writeNumber } from "./order-mail.ts";

/** What one run is asked to do beside the others. */
export interface BesideLoad {
  readonly kind: "ordinary" | "hostile" | "burn";
  readonly port: number;
  readonly to: string;
  readonly forMs: number;
  readonly firstNumber: number;
}

export interface BesideResult {
  readonly mails: number;
  /** From MAIL to the reply behind the final dot, in milliseconds, of each ordinary mail. */
  readonly times: readonly number[];
  readonly refused: readonly string[];
}

const EVERY_MS = 100;
const HOSTILE_SESSIONS = 3;
const PATIENCE_MS = 120_000;

const load = JSON.parse(process.argv[2] ?? "") as BesideLoad;
const endsAt = performance.now() + load.forMs;
const isOver = () => performance.now() >= endsAt;
const times: number[] = [];
const refused: string[] = [];
let mails = 0;
switch (load.kind) {
  case "burn":
    while (!isOver());
    break;
  case "ordinary":
    await sendOrdinary();
    break;
  case "hostile": {
    const kinds = Object.values(HOSTILE_MAILS).map((build) => Buffer.from(build()));
    await Promise.all(Array.from({ length: HOSTILE_SESSIONS }, () => sendHostile(kinds)));
    break;
  }
}
process.stdout.write(`${JSON.stringify({ mails, times, refused } satisfies BesideResult)}\n`);

/** One every tenth of a second on one connection, as far as the replies let it. */
async function sendOrdinary(): Promise<void> {
  const mail = orderMail(load.to);
  const place = placeOfNumber(mail);
  using relay = await connectRelay({ host: "127.0.0.1", port: load.port }, { patienceMs: PATIENCE_MS });
  while (!isOver()) {
    writeNumber(mail, place, load.firstNumber + mails);
    mails += 1;
    const startedAt = performance.now();
    const reply = await relay.send({ from: "orders@shop.example", to: load.to, mail });
    const tookMs = performance.now() - startedAt;
    times.push(tookMs);
    if (!reply.startsWith("250")) refused.push(reply);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - tookMs)));
  }
}

/** One kind after the other for as long as it takes; a refusal ends a connection, not the attack. */
async function sendHostile(kinds: readonly Buffer[]): Promise<void> {
  while (!isOver()) {
    const mail = kinds[mails % kinds.length] ?? Buffer.alloc(0);
    mails += 1;
    try {
      using relay = await connectRelay({ host: "127.0.0.1", port: load.port }, { patienceMs: PATIENCE_MS });
      await relay.send({ to: load.to, mail });
    } catch (error) {
      refused.push(error instanceof Error ? error.message : String(error));
    }
  }
}
