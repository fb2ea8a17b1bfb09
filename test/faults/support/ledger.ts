import { readSettings } from "../../../src/config/settings.ts";
import type { Storage } from "../../../src/daemon/storage.ts";
import { openStorage } from "../../../src/daemon/storage.ts";
import { readAppDefinition } from "../../../src/registry/app-definition.ts";
import { eventually } from "../../support/eventually.ts";
import type { NatsServer } from "../../support/nats-server.ts";
import type { Relay } from "../../support/relay.ts";
import { connectRelay } from "../../support/relay.ts";
import { silentLog } from "../../support/silent-log.ts";

const RETRY_PAUSE_MS = 30;
/** A relay tries for days; a test that is never done says so. */
const PATIENCE_MS = 300_000;

/** A mail that becomes an event, known by its number. */
export function orderMail(number: number, extra = ""): string {
  return `From: shop@example.org\r\nMessage-ID: <${number}@example.org>\r\nContent-Type: application/json\r\n\r\n{"order":${number}${extra}}\r\n`;
}

/** A mail without data: a dead letter, and its bytes an object. */
export function wordsMail(number: number): string {
  return `From: shop@example.org\r\nMessage-ID: <${number}@example.org>\r\nSubject: words ${number}\r\n\r\nJust words.\r\n`;
}

/**
 * A sender that behaves like a relay: keeps each mail until it hears 250, tries again on 4xx and broken connections, and
 * takes a 5xx for final. The ledger of one test: what was sent, answered and repeated.
 */
export class RelayQueue {
  readonly #to: () => { readonly port: number; readonly address: string };
  readonly #mailOf: (number: number) => string;
  readonly #waiting: number[] = [];
  /** The reply of each mail that got 250. */
  readonly accepted = new Map<number, string>();
  readonly bounced = new Map<number, string>();
  /** The answers that made a mail wait, and how often. */
  readonly postponed = new Map<string, number>();

  constructor(
    to: () => { readonly port: number; readonly address: string },
    mailOf = (number: number) => orderMail(number),
  ) {
    this.#to = to;
    this.#mailOf = mailOf;
  }

  get retries(): number {
    return [...this.postponed.values()].reduce((sum, count) => sum + count, 0);
  }

  add(...numbers: readonly number[]): void {
    this.#waiting.push(...numbers);
  }

  /** Why mails still wait, for the message of a test that gave up. */
  get story(): string {
    return [...this.postponed].map(([why, count]) => `${count} × ${why}`).join("; ");
  }

  /** Delivers on so many connections until nothing waits, or `isOver` says so. */
  async run(connections: number, isOver: () => boolean = () => false): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    const isLate = () => performance.now() > deadline;
    await Promise.all(Array.from({ length: connections }, () => this.#deliver(() => isOver() || isLate())));
    if (isLate()) throw new Error(`${this.#waiting.length} mails still wait after ${PATIENCE_MS} ms: ${this.story}`);
  }

  async #deliver(isOver: () => boolean): Promise<void> {
    let relay: Relay | undefined;
    for (let mail = this.#next(isOver); mail !== undefined; mail = this.#next(isOver)) {
      const { port, address } = this.#to();
      try {
        relay ??= await connectRelay({ host: "127.0.0.1", port }, { patienceMs: 60_000 });
        const reply = await relay.send({ to: address, mail: this.#mailOf(mail) });
        if (reply.startsWith("250 ")) this.accepted.set(mail, reply);
        else if (reply.startsWith("5")) this.bounced.set(mail, reply);
        else throw new Error(reply);
      } catch (error) {
        const why = (error instanceof Error ? error.message : String(error)).slice(0, 80);
        this.postponed.set(why, (this.postponed.get(why) ?? 0) + 1);
        this.#waiting.push(mail);
        relay?.[Symbol.dispose]();
        relay = undefined;
        await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
      }
    }
    relay?.socket.end("QUIT\r\n");
  }

  #next(isOver: () => boolean): number | undefined {
    return isOver() ? undefined : this.#waiting.shift();
  }
}

/** Everything in NATS, and the address of one e-mail hook, installed beside the daemon. */
export async function openLedger(
  nats: NatsServer,
  env: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly storage: Storage; readonly address: string }> {
  const storage = await openStorage(readSettings({ POSTHORN_NATS_URL: nats.url, ...env }), silentLog);
  const definition = JSON.stringify({ app: "shop", hooks: [{ eventName: "kustomer.app.shop.order", type: "email" }] });
  const reading = readAppDefinition(definition, "test.json");
  if (reading.kind === "invalid") throw new Error("the definition is invalid");
  const { hooks } = await storage.registry.install(reading.definition);
  return {
    storage,
    address: `${hooks[0]?.hookId}@localhost`,
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}

/** How often each id stands in a stream: the daemon's own id of the message. */
export async function storedIds(storage: Storage, stream: string): Promise<Map<string, number>> {
  const { state } = await storage.jsm.streams.info(stream);
  const counts = new Map<string, number>();
  for (let sequence = state.first_seq; sequence <= state.last_seq && state.messages > 0; sequence += 1) {
    const message = await storage.jsm.streams.getMessage(stream, { seq: sequence });
    const id = message?.header.get("Nats-Msg-Id");
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** What the ledger and the stream say of each other; all three are empty when the promise was kept. */
export async function compare(
  queue: RelayQueue,
  storage: Storage,
  stream: string,
): Promise<{ readonly lost: string[]; readonly doubled: string[]; readonly bounced: string[] }> {
  // The server may have been started again a moment ago.
  const stored = await eventually(() => storedIds(storage, stream));
  const acked = [...queue.accepted.values()].map((reply) => /^250 2\.0\.0 (\S{26})$/.exec(reply)?.[1] ?? reply);
  return {
    lost: acked.filter((id) => !stored.has(id)),
    doubled: [...stored].filter(([, count]) => count > 1).map(([id]) => id),
    bounced: [...queue.bounced.values()],
  };
}
