import { Budget } from "../lib/budget.ts";
import { makeRoom } from "../lib/make-room.ts";

/** Look-ups of unknown addresses that one remote address may cause in a second (contract §3). */
const UNKNOWN_LOOKUPS_PER_SECOND = 20;
const MAX_REMEMBERED_ADDRESSES = 50_000;

export interface AdmissionLimits {
  readonly maxConnections: number;
  /** Bytes of mails that may be in memory at once, over all connections. */
  readonly maxBytesInFlight: number;
}

/**
 * What the mail door lets in: connections, bytes in flight, and guesses at hook ids.
 *
 * One for all listeners of the process, because memory is one.
 */
export class Admission {
  readonly bytes: Budget;
  readonly #connections: Budget;
  readonly #guesses = new Map<string, { second: number; count: number }>();

  constructor(limits: AdmissionLimits) {
    this.bytes = new Budget(limits.maxBytesInFlight);
    this.#connections = new Budget(limits.maxConnections);
  }

  get connections(): number {
    return this.#connections.used;
  }

  /** A place for one connection; `undefined` when all are taken. */
  tryConnect(): Disposable | undefined {
    if (!this.#connections.tryTake(1)) return undefined;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#connections.give(1);
        held = false;
      },
    };
  }

  /** Counts a look-up of an address nobody knows; false when `remoteAddress` has guessed too often this second. */
  tryGuess(remoteAddress: string, now: number): boolean {
    const second = Math.floor(now / 1_000);
    const guesses = this.#guesses.get(remoteAddress);
    if (guesses === undefined || guesses.second !== second) {
      this.#guesses.delete(remoteAddress);
      makeRoom(this.#guesses, MAX_REMEMBERED_ADDRESSES);
      this.#guesses.set(remoteAddress, { second, count: 1 });
      return true;
    }
    guesses.count += 1;
    return guesses.count <= UNKNOWN_LOOKUPS_PER_SECOND;
  }
}
