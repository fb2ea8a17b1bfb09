import { Resolver } from "node:dns/promises";

import { makeRoom } from "../lib/make-room.ts";

export interface LookupLimits {
  /** Addresses with or without port; empty is the system's. */
  readonly servers: readonly string[];
  /** For one question, all tries together. */
  readonly timeoutMs: number;
  readonly cacheMs: number;
  readonly cachedAnswers: number;
  /** Questions that one mail may cause, cached ones too. */
  readonly lookupsPerMail: number;
  /** How long an answer that was trouble is kept: long enough to spare a resolver that is down. */
  readonly troubleMs: number;
  /** Questions on the way at once, of all mails together; past them a mail hears that DNS is in trouble. */
  readonly inFlight: number;
}

/** What mailauth asks for records with: rejects with `code` `ENOTFOUND`, `ENODATA`, `ETIMEOUT` and so on. */
export type Lookup = (name: string, type: string) => Promise<unknown[]>;

interface Answer {
  readonly records: Promise<unknown[]>;
  /** The records, once they are there. */
  settled: unknown[] | undefined;
  readonly askedAt: number;
  until: number;
}

/** So many questions in a row without an answer, of whatever domain: then it is not one sender's name server. */
const FAILURES_IN_A_ROW = 20;
/** Or so many on the way, and not one answer for so long: no need to see each of them fail. */
const SILENCE_MS = 1_000;

/** Where a mail's questions go: a resolver of this thread, or another thread's. */
export interface DnsQuestions {
  /**
   * The look-ups of one mail; none takes longer than until `deadline` (milliseconds since the epoch).
   *
   * `onWait` is told of each question that has to be waited for, and for how many milliseconds others wait already.
   */
  forMail(deadline: number, onWait?: (sinceMs: number) => void): Lookup;
  /** Whether the resolver itself seems to be down, so that nobody should wait for what he only would like to know. */
  readonly isDown: boolean;
}

/** A rejection in the words of `node:dns`. */
class LookupError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Look-ups of records with a cache, a deadline and a bound on how many one mail may cause.
 *
 * The answers "there is none" are kept too, trouble for a moment only. Node does not tell the TTL of TXT records, so everything is
 * kept for the same short time: a sender who changes a key waits no longer than `cacheMs`.
 *
 * Source: RFC 7208 §4.6.4 and §11.1 (a mail may not make us ask endlessly), RFC 2308 (negative answers).
 */
export class DnsLookups implements DnsQuestions, Disposable {
  readonly #limits: LookupLimits;
  readonly #resolver: Resolver;
  readonly #cache = new Map<string, Answer>();
  #inFlight = 0;
  #failuresInARow = 0;
  /** Since when nothing was answered, although something was asked. */
  #silentSince: number | undefined;

  constructor(limits: LookupLimits) {
    this.#limits = limits;
    // Two tries of half the time: one lost datagram is no trouble yet.
    this.#resolver = new Resolver({ timeout: Math.max(1, Math.floor(limits.timeoutMs / 3)), tries: 2 });
    if (limits.servers.length > 0) this.#resolver.setServers(limits.servers);
  }

  forMail(deadline: number, onWait: (sinceMs: number) => void = () => undefined): Lookup {
    let left = this.#limits.lookupsPerMail;
    return async (name, type) => {
      left -= 1;
      if (left < 0) throw new LookupError("ELIMIT", `more than ${this.#limits.lookupsPerMail} look-ups for one mail`);
      const answer = this.#ask(name, type);
      if (answer.settled === undefined) onWait(Date.now() - answer.askedAt);
      const records = answer.settled ?? (await beforeDeadline(answer.records, deadline));
      // mailauth sorts lists in place and writes into what it gets.
      return records.map((record) =>
        Array.isArray(record) ? [...(record as unknown[])] : typeof record === "object" ? { ...record } : record,
      );
    };
  }

  get isDown(): boolean {
    if (this.#failuresInARow >= FAILURES_IN_A_ROW) return true;
    const isAskingMuch = this.#inFlight >= FAILURES_IN_A_ROW;
    return isAskingMuch && this.#silentSince !== undefined && Date.now() - this.#silentSince > SILENCE_MS;
  }

  [Symbol.dispose](): void {
    this.#resolver.cancel();
  }

  #ask(name: string, type: string): Answer {
    const key = `${type} ${name.toLowerCase()}`;
    const now = Date.now();
    const known = this.#cache.get(key);
    if (known !== undefined && known.until > now) return known;
    if (this.#inFlight >= this.#limits.inFlight) throw new LookupError("EBUSY", "too many questions on the way");
    this.#inFlight += 1;
    this.#silentSince ??= now;
    const records = (this.#resolver.resolve(name, type) as Promise<unknown[]>)
      .catch((error: unknown) => {
        // c-ares asks for no name with "+" or "=" in it, which a macro over a VERP sender makes: nobody has such a name.
        if ((error as { code?: unknown }).code === "EBADNAME") throw new LookupError("ENOTFOUND", `no name: ${name}`);
        throw error;
      })
      .finally(() => {
        this.#inFlight -= 1;
      });
    this.#cache.delete(key);
    makeRoom(this.#cache, this.#limits.cachedAnswers);
    const answer: Answer = { records, settled: undefined, askedAt: now, until: now + this.#limits.cacheMs };
    this.#cache.set(key, answer);
    records.then(
      (found) => {
        answer.settled = found;
        this.#hear();
      },
      (error: unknown) => {
        if (isNoSuchRecord(error)) this.#hear();
        else {
          this.#failuresInARow += 1;
          answer.until = Date.now() + this.#limits.troubleMs;
        }
      },
    );
    return answer;
  }

  #hear(): void {
    this.#failuresInARow = 0;
    this.#silentSince = this.#inFlight > 0 ? Date.now() : undefined;
  }
}

/** Whether an answer says that there is no such record, and so is an answer. */
function isNoSuchRecord(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ENOTFOUND" || code === "ENODATA";
}

async function beforeDeadline<T>(work: Promise<T>, deadline: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new LookupError("ETIMEOUT", "out of time")), Math.max(0, deadline - Date.now()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
