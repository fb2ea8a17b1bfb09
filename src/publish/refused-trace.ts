import type { Refusal, RefusalDoor, RefusedCall, RefusedSum } from "../model/refused-call.ts";

/** Refusals of one remote address that are written one by one in a second; the rest is summed (contract §6). */
const WRITTEN_PER_SECOND = 10;
const MAX_REMEMBERED_ADDRESSES = 10_000;
/** Entries in memory until they are acknowledged, a few hundred bytes each. */
const MAX_WAITING = 2_000;
const MAX_ON_THEIR_WAY = 32;
/** Under this name the rest is summed when more addresses than that are refused in one minute. */
const OTHERS = "others";

interface Sum {
  readonly door: RefusalDoor;
  readonly remoteAddress: string;
  readonly sinceMs: number;
  count: number;
  readonly answers: Map<string, number>;
}

export interface RefusedTraceOptions {
  /**
   * Stores bytes; resolves with whether the stream has acknowledged them. `id` is the same over all tries, so that a lost ack
   * never makes two. Never rejects, and always ends.
   */
  readonly write: (subject: string, bytes: Uint8Array, id: string) => Promise<boolean>;
  readonly newId: () => string;
  readonly now: () => number;
}

interface Entry {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly id: string;
  /** Entries are numbered as they come. */
  readonly number: number;
}

/**
 * The trace of refused calls: for many senders a 4xx is final, so the operator must be able to see it.
 *
 * Nobody waits for a write, and none is in the way of an answer. What is not acknowledged, because the store is full or NATS
 * is away, stays in memory and is written when {@link RefusedTrace.flush} finds that writing works again. At most ten a second
 * are written for each remote address; those beyond, and those that find the memory full, are summed. What is remembered is
 * bounded, however many addresses knock.
 */
export class RefusedTrace {
  readonly #options: RefusedTraceOptions;
  readonly #written = new Map<string, number>();
  #second = 0;
  #sums = new Map<string, Sum>();
  /** Oldest first; those that are on their way are not in it. */
  #waiting: Entry[] = [];
  #onTheirWay = 0;
  #last = 0;
  /** The last write failed: nothing is tried before the next flush. */
  #isStuck = false;
  #isDoubtful = false;
  #idle: (() => void)[] = [];

  constructor(options: RefusedTraceOptions) {
    this.#options = options;
  }

  /** Entries that wait to be written. */
  get waiting(): number {
    return this.#waiting.length + this.#onTheirWay;
  }

  /** Notes one refusal. Never throws, never waits. */
  note(refusal: Refusal): void {
    const now = this.#options.now();
    const call: RefusedCall = { time: new Date(now).toISOString(), ...refusal };
    if (!this.#mayWrite(refusal.remoteAddress, now) || !this.#keep(refusal.door, call)) this.#sum(refusal, now);
  }

  /** Puts the sums of the last minute behind what waits, as far as there is place. */
  sumUp(): void {
    const sums = this.#sums;
    this.#sums = new Map();
    const time = new Date(this.#options.now()).toISOString();
    for (const [key, sum] of sums) {
      const { door, remoteAddress, count } = sum;
      const since = new Date(sum.sinceMs).toISOString();
      const written = { time, since, door, remoteAddress, count, answers: Object.fromEntries(sum.answers) };
      if (!this.#keep(door, written)) this.#sums.set(key, sum);
    }
  }

  /** Tries again what could not be written. Resolves when nothing is on its way any more. */
  async flush(): Promise<void> {
    this.#isStuck = false;
    // Those that failed came back in the order in which they failed.
    this.#waiting.sort((one, other) => one.number - other.number);
    this.#write();
    if (this.#onTheirWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #keep(door: RefusalDoor, entry: RefusedCall | RefusedSum): boolean {
    if (this.waiting >= MAX_WAITING) return false;
    const bytes = Buffer.from(JSON.stringify(entry));
    this.#last += 1;
    this.#waiting.push({ subject: `posthorn.refused.${door}`, bytes, id: this.#options.newId(), number: this.#last });
    this.#write();
    return true;
  }

  #write(): void {
    // One alone finds out whether writing works again.
    const atOnce = this.#isDoubtful ? 1 : MAX_ON_THEIR_WAY;
    while (!this.#isStuck && this.#onTheirWay < atOnce) {
      const entry = this.#waiting.shift();
      if (entry === undefined) break;
      this.#onTheirWay += 1;
      this.#options.write(entry.subject, entry.bytes, entry.id).then(
        (isStored) => this.#ended(entry, isStored),
        () => this.#ended(entry, false),
      );
    }
    if (this.#onTheirWay === 0) for (const tell of this.#idle.splice(0)) tell();
  }

  #ended(entry: Entry, isStored: boolean): void {
    this.#onTheirWay -= 1;
    this.#isStuck = !isStored;
    this.#isDoubtful = !isStored;
    if (!isStored) this.#waiting.unshift(entry);
    this.#write();
  }

  #mayWrite(remoteAddress: string, now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) this.#written.clear();
    this.#second = second;
    const written = this.#written.get(remoteAddress);
    if (written === undefined && this.#written.size >= MAX_REMEMBERED_ADDRESSES) return false;
    if ((written ?? 0) >= WRITTEN_PER_SECOND) return false;
    this.#written.set(remoteAddress, (written ?? 0) + 1);
    return true;
  }

  #sum({ door, remoteAddress, answer }: Refusal, now: number): void {
    let key = `${door} ${remoteAddress}`;
    const isNew = !this.#sums.has(key);
    if (isNew && this.#sums.size >= MAX_REMEMBERED_ADDRESSES) key = `${door} ${OTHERS}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      const address = key.slice(door.length + 1);
      sum = { door, remoteAddress: address, sinceMs: now, count: 0, answers: new Map() };
      this.#sums.set(key, sum);
    }
    sum.count += 1;
    sum.answers.set(answer, (sum.answers.get(answer) ?? 0) + 1);
  }
}
