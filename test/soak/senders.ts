import type { Relay } from "../support/relay.ts";
import { connectRelay } from "../support/relay.ts";
import type { Books } from "./books.ts";
import type { Chance } from "./random.ts";

/** One replica as its senders see it. */
export interface Doors {
  readonly name: string;
  readonly smtpPort: number;
  readonly lmtpPort: number;
  readonly httpPort: number;
}

/** What all senders share. */
export interface Senders {
  readonly books: Books;
  readonly mailAddress: string;
  readonly web: { readonly path: string; readonly key: string };
  /** Nothing new is begun any more; what has begun is sent until it is accepted. */
  readonly isOver: () => boolean;
  /** What is not accepted by now is given up. */
  readonly isLate: () => boolean;
  /** Called for each connection that a sender broke on purpose. */
  readonly onDrop: () => void;
}

const PATIENCE_MS = 40_000;
const BIG_BYTES = 300_000;
const DROPS = 0.02;

class Broken extends Error {}

/** Sends mails until it is over, each until it hears 250: a relay, which now and then loses its connection. */
export async function sendMails(lmtp: boolean, doors: Doors, senders: Senders, chance: Chance): Promise<void> {
  const { books } = senders;
  const door = `${doors.name} ${lmtp ? "lmtp" : "smtp"}`;
  let relay: Relay | undefined;
  while (!senders.isOver()) {
    const number = books.nextNumber();
    const mail = mailOf(number, chance);
    for (let isSettled = false; !isSettled && !senders.isLate();) {
      const dropAt = chance.happens(DROPS) ? chance.pick(["in the middle", "unheard"] as const) : undefined;
      try {
        const port = lmtp ? doors.lmtpPort : doors.smtpPort;
        relay ??= await connectRelay({ host: "127.0.0.1", port }, { lmtp, patienceMs: PATIENCE_MS });
        isSettled = await transact(relay, number, mail, dropAt);
      } catch (error) {
        relay?.[Symbol.dispose]();
        relay = undefined;
        if (error instanceof Broken) senders.onDrop();
        else books.postpone(shortened(error));
        await pause(chance.between(20, 200));
      }
    }
    await pause(chance.between(5, 50));
  }
  relay?.[Symbol.dispose]();

  async function transact(
    to: Relay,
    number: number,
    mail: string,
    dropAt: "in the middle" | "unheard" | undefined,
  ): Promise<boolean> {
    for (const line of ["MAIL FROM:<shop@example.org>", `RCPT TO:<${senders.mailAddress}>`, "DATA"]) {
      const reply = await to.say(line);
      if (reply.startsWith("5")) return refused(line, reply);
      if (!/^[23]/.test(reply)) throw new Error(reply);
    }
    if (dropAt === "in the middle") {
      to.socket.write(mail.slice(0, mail.length / 2));
      throw new Broken();
    }
    to.socket.write(`${mail}.\r\n`);
    if (dropAt === "unheard") {
      await pause(chance.between(0, 5));
      throw new Broken();
    }
    const startedAt = performance.now();
    const reply = await to.reply("the final dot");
    if (reply.startsWith("5")) return refused("the final dot", reply);
    const eventId = /^250 2\.0\.0 (\S{26})$/.exec(reply)?.[1];
    if (eventId === undefined) throw new Error(reply);
    books.accept(number, eventId, performance.now() - startedAt, door);
    return true;
  }

  function refused(line: string, reply: string): true {
    books.wrong.push(`${door} answered ${line} with ${reply}`);
    return true;
  }
}

/** Posts to a web hook until it is over, each body with its own Idempotency-Key until it hears 202. */
export async function postRequests(doors: Doors, senders: Senders, chance: Chance): Promise<void> {
  const { books, web } = senders;
  const door = `${doors.name} http`;
  while (!senders.isOver()) {
    const number = books.nextNumber();
    for (let isSettled = false; !isSettled && !senders.isLate();) {
      const dropMs = chance.happens(DROPS) ? Math.ceil(chance.between(1, 10)) : undefined;
      const startedAt = performance.now();
      try {
        const response = await fetch(`http://127.0.0.1:${doors.httpPort}${web.path}`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-api-key": web.key, "idempotency-key": `soak-${number}` },
          body: `{"order":${number}}`,
          signal: AbortSignal.timeout(dropMs ?? PATIENCE_MS),
        });
        const text = await response.text();
        if (response.status === 202) {
          const { id } = JSON.parse(text) as { readonly id: string };
          books.accept(number, id, performance.now() - startedAt, door);
          isSettled = true;
        } else if (response.status >= 500 || response.status === 429) throw new Error(`${response.status}`);
        else {
          books.wrong.push(`${door} answered ${response.status} ${text}`);
          isSettled = true;
        }
      } catch (error) {
        if (dropMs !== undefined) senders.onDrop();
        else books.postpone(shortened(error));
        await pause(chance.between(20, 200));
      }
    }
    await pause(chance.between(5, 50));
  }
}

/** Mostly events; some dead letters; some whose data travels through the Object Store. */
function mailOf(number: number, chance: Chance): string {
  const head = `From: shop@example.org\r\nMessage-ID: <${number}@soak.example>\r\n`;
  if (chance.happens(0.1)) return `${head}Subject: words ${number}\r\n\r\nJust words.\r\n`;
  const filler = chance.happens(0.02) ? `,"text":"${"x".repeat(900)}"`.repeat(Math.ceil(BIG_BYTES / 900)) : "";
  const json = `{"order":${number}${filler}}`.replaceAll(',"text"', ',\r\n"text"');
  if (chance.happens(0.5)) return `${head}Content-Type: application/json\r\n\r\n${json}\r\n`;
  return `${head}Content-Type: text/html\r\n\r\n<html><body><script type="application/ld+json">\r\n${json}\r\n</script><p>Thanks</p></body></html>\r\n`;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Errors by their kind: numbers and times in them would make each one its own. */
function shortened(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const text = cause instanceof Error && "code" in cause ? String(cause.code) : error.message;
  return text.slice(0, 60).replaceAll(/[0-9]{4,}/g, "…");
}
