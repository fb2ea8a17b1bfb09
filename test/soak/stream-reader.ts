import type { Storage } from "../../src/daemon/storage.ts";
import type { Books } from "./books.ts";

const EVENTS = "POSTHORN_EVENTS";
const DEAD_LETTERS = "POSTHORN_DEAD_LETTERS";
const PAGE = 500;

/** What the streams say of the books; everything in it but `stored` must be empty. */
export interface Verdict {
  readonly stored: number;
  /** Answered as stored, and not there when it was looked for. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly doubled: readonly string[];
  /** Answered with the id of another event than its own. */
  readonly mistaken: readonly string[];
}

/** Reads the streams bit by bit, and remembers what stands in them. */
export class StreamReader {
  readonly #storage: Storage;
  readonly #next = new Map([
    [EVENTS, 1],
    [DEAD_LETTERS, 1],
  ]);
  /** How often each id stands there. */
  readonly #ids = new Map<string, number>();
  /** How often each number of the books stands there as an event, by whatever id. */
  readonly #numbers = new Map<number, number>();
  readonly #numberOf = new Map<string, number>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Reads what is new and holds it against what was accepted before it began. Throws while NATS is away. */
  async compare(books: Books): Promise<Verdict> {
    const accepted = [...books.accepted];
    for (const stream of this.#next.keys()) await this.#read(stream);
    return {
      stored: this.#ids.size,
      lost: accepted.filter(([, { eventId }]) => !this.#ids.has(eventId)).map(([number]) => `${number}`),
      doubled: [
        ...[...this.#ids].filter(([, count]) => count > 1).map(([id]) => id),
        ...[...this.#numbers].filter(([, count]) => count > 1).map(([number]) => `number ${number}`),
      ],
      mistaken: accepted
        .filter(([number, { eventId }]) => (this.#numberOf.get(eventId) ?? number) !== number)
        .map(([number]) => `${number}`),
    };
  }

  async #read(stream: string): Promise<void> {
    const { js, jsm } = this.#storage;
    for (;;) {
      const from = this.#next.get(stream) ?? 1;
      const { state } = await jsm.streams.info(stream);
      if (state.last_seq < from) return;
      const consumer = await js.consumers.get(stream, { opt_start_seq: from });
      const messages = await consumer.fetch({
        max_messages: Math.min(PAGE, state.last_seq - from + 1),
        expires: 5_000,
      });
      for await (const message of messages) {
        this.#next.set(stream, message.seq + 1);
        this.#note(message.headers?.get("Nats-Msg-Id") ?? "", stream === EVENTS ? message.string() : undefined);
      }
      await consumer.delete();
    }
  }

  #note(id: string, event: string | undefined): void {
    this.#ids.set(id, (this.#ids.get(id) ?? 0) + 1);
    const number = event === undefined ? undefined : /"payload":\{"order":(\d+)/.exec(event)?.[1];
    if (number === undefined) return;
    this.#numberOf.set(id, Number(number));
    this.#numbers.set(Number(number), (this.#numbers.get(Number(number)) ?? 0) + 1);
  }
}
