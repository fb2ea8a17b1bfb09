import type { Refusal, RefusalDoor, RefusedCall, RefusedSum } from "../model/refused-call.ts";

/** Refusals of one remote address that are written one by one in a second; the rest is summed (contract §6). */
const WRITTEN_PER_SECOND = 10;
const MAX_REMEMBERED_ADDRESSES = 10_000;
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
  /** Hands bytes to NATS and returns at once; false when NATS is away. Never throws. */
  readonly write: (subject: string, bytes: Uint8Array) => boolean;
  readonly now: () => number;
}

/**
 * The trace of refused calls: for many senders a 4xx is final, so the operator must be able to see it.
 *
 * Written without waiting for an ack and never in the way of an answer. At most ten a second are written for each remote
 * address; those beyond, and those given while NATS is away, are summed and written by {@link RefusedTrace.flush}. What is
 * remembered is bounded, however many addresses knock.
 */
export class RefusedTrace {
  readonly #options: RefusedTraceOptions;
  readonly #written = new Map<string, number>();
  #second = 0;
  #sums = new Map<string, Sum>();

  constructor(options: RefusedTraceOptions) {
    this.#options = options;
  }

  /** Notes one refusal. Never throws, never waits. */
  note(refusal: Refusal): void {
    const now = this.#options.now();
    const call: RefusedCall = { time: new Date(now).toISOString(), ...refusal };
    if (!this.#mayWrite(refusal.remoteAddress, now) || !this.#write(refusal.door, call)) this.#sum(refusal, now);
  }

  /** Writes the sums of the last minute; what cannot be written now stays for the next time. */
  flush(): void {
    const sums = this.#sums;
    this.#sums = new Map();
    const time = new Date(this.#options.now()).toISOString();
    for (const [key, sum] of sums) {
      const { door, remoteAddress, count } = sum;
      const since = new Date(sum.sinceMs).toISOString();
      const written = { time, since, door, remoteAddress, count, answers: Object.fromEntries(sum.answers) };
      if (!this.#write(door, written)) this.#sums.set(key, sum);
    }
  }

  #write(door: RefusalDoor, entry: RefusedCall | RefusedSum): boolean {
    return this.#options.write(`posthorn.refused.${door}`, Buffer.from(JSON.stringify(entry)));
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
