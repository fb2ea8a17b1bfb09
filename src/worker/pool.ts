import { hashInTurns } from "../lib/hash-in-turns.ts";
import { within } from "../lib/within.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { Job, JobResult, PoolFailure, PoolResult, SchemaResult } from "./job.ts";
import { isSmall } from "./job.ts";
import type { ThreadRequest } from "./messages.ts";
import { PoolThread } from "./pool-thread.ts";
import type { HookWish, ReadLimits } from "./read-mail.ts";

export interface PoolSettings {
  readonly workers: number;
  /** CPU time of the thread that one mail may cost, in milliseconds; wall time may be three times as long. */
  readonly parseTimeoutMs: number;
  /** Mails that may wait for a thread. */
  readonly maxWaiting: number;
  readonly limits: ReadLimits;
  /** Megabytes of JavaScript heap for each thread. */
  readonly heapMb: number;
  readonly onRestart: (why: string) => void;
}

/** A thread that has been at one job for longer is not counted on. */
const HELD_UP_MS = 100;
/** While all are held up there may be so many times the threads: each then has its share of the cores. */
const MOST_HELP = 4;
/** An extra thread that had nothing to do for so long goes. */
const SPARE_MS = 5_000;
/** How often the threads are looked after while they work. */
const LOOK_MS = 50;
const STARVED_MS = 1_000;
const DEAD_POOL_PAUSE_MS = 1_000;
/** A millisecond of a thread: asking one costs a tenth of it. */
const LONG_HASH_BYTES = 512 * 1024;
/** Then it is made here: a delivery has not the time to wait for threads that are all held up. */
const LATE_HASH_MS = 2_000;

/**
 * Threads that parse and extract, each with a limit on CPU time, heap and wall time.
 *
 * Invariant: a job that was taken always resolves. A mail that is late, or that takes its thread down, costs itself only:
 * the thread is killed and replaced. While every thread is held up by a slow mail, more are started, up to
 * {@link MOST_HELP} times as many, so that an ordinary mail does not wait behind hostile ones; and small mails are taken
 * before big ones.
 */
export class WorkerPool {
  readonly #settings: PoolSettings;
  readonly #threads = new Set<PoolThread>();
  readonly #waiting: Job[] = [];
  #look: NodeJS.Timeout | undefined;
  #diedInARow = 0;
  #isStarted = false;
  #closed = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /** Starts the threads, unless a job did so already. */
  start(): void {
    if (this.#isStarted || this.#closed) return;
    this.#isStarted = true;
    for (let i = 0; i < this.#settings.workers; i += 1) this.#start();
  }

  /** Mails that wait for a thread. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Threads that are up or start, help among them. */
  get threads(): number {
    return this.#threads.size;
  }

  /** Reads a mail in a thread. Never throws. */
  read(bytes: Uint8Array, wishes: readonly HookWish[]): Promise<PoolResult> {
    // A thread answers a mail with a reading.
    return this.#ask({ bytes, wishes, limits: this.#settings.limits }) as Promise<PoolResult>;
  }

  /** Holds a payload against a schema in a thread, because neither is ours. Never throws. */
  checkSchema(schema: JsonSchema, payload: JsonText): Promise<SchemaResult> {
    // A thread answers a schema with a verdict.
    return this.#ask({ schema, payload }) as Promise<SchemaResult>;
  }

  /** SHA-256 in hex, by a thread where the bytes are many and need no copy. Never throws. */
  async sha256(bytes: Uint8Array): Promise<string> {
    if (bytes.length < LONG_HASH_BYTES || !(bytes.buffer instanceof SharedArrayBuffer)) return hashInTurns(bytes);
    const result = await within(this.#ask({ hashed: bytes }), LATE_HASH_MS);
    return result?.kind === "hash" ? result.sha256 : hashInTurns(bytes);
  }

  #ask(request: ThreadRequest): Promise<JobResult> {
    if (this.#closed || this.#waiting.length >= this.#settings.maxWaiting) return Promise.resolve({ kind: "busy" });
    this.start();
    return new Promise((resolve) => {
      this.#waiting.push({ request, resolve, waitsSince: performance.now() });
      this.#dispatch();
    });
  }

  /** Ends every thread; what waits is answered `busy`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#look);
    for (const job of this.#waiting.splice(0)) job.resolve({ kind: "busy" });
    const threads = [...this.#threads];
    this.#threads.clear();
    await Promise.all(threads.map((thread) => thread.end({ kind: "busy" })));
  }

  #start(): void {
    const thread = new PoolThread(this.#settings, {
      onAnswer: () => {
        this.#diedInARow = 0;
        this.#dispatch();
      },
      onEnd: (ended, failure) => this.#replace(ended, failure),
    });
    this.#threads.add(thread);
  }

  #dispatch(): void {
    // Threads that still start come last.
    for (const isReady of [true, false])
      for (const thread of this.#threads) {
        const job = thread.isIdle && thread.isReady === isReady ? this.#nextJob() : undefined;
        if (job !== undefined) thread.give(job);
      }
    this.#look ??= setTimeout(() => this.#lookAfter(), LOOK_MS);
  }

  /** Small mails first, so that they never wait behind big ones; unless the oldest has waited long enough. */
  #nextJob(): Job | undefined {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return undefined;
    const isStarved = performance.now() - oldest.waitsSince > STARVED_MS;
    const index = isStarved ? 0 : Math.max(0, this.#waiting.findIndex(isSmall));
    return this.#waiting.splice(index, 1)[0];
  }

  /** Ends what is late, brings help where all are held up, and sends help home. */
  #lookAfter(): void {
    this.#look = undefined;
    if (this.#closed) return;
    const now = performance.now();
    const busy = [...this.#threads].filter((thread) => !thread.isIdle);
    for (const thread of busy) {
      if (thread.sinceMs(now) < LOOK_MS) continue;
      thread.judge(now).then(
        (failure) => (failure === undefined ? undefined : this.#replace(thread, failure)),
        (error: unknown) => this.#replace(thread, { kind: "died", error: String(error) }),
      );
    }
    const isHeldUp = (thread: PoolThread) => thread.isReady && thread.sinceMs(now) >= HELD_UP_MS;
    const isHelpWanted = this.#waiting.length > 0 && busy.length > 0 && busy.every(isHeldUp);
    if (isHelpWanted && this.#threads.size < this.#settings.workers * MOST_HELP) this.#start();
    for (const thread of this.#threads) {
      if (this.#threads.size <= this.#settings.workers) break;
      if (!thread.isIdle || thread.sinceMs(now) < SPARE_MS) continue;
      this.#threads.delete(thread);
      this.#end(thread, { kind: "busy" });
    }
    if (busy.length > 0 || this.#threads.size > this.#settings.workers) this.#dispatch();
  }

  #replace(thread: PoolThread, failure: PoolFailure): void {
    if (!this.#threads.delete(thread)) return;
    this.#end(thread, failure);
    this.#settings.onRestart(whyOf(failure, thread.isReady));
    // Threads that die before they answer anything are a fault of ours: started again for ever, but not in a hot loop.
    this.#diedInARow += 1;
    setTimeout(() => this.#startAgain(), this.#diedInARow > this.#settings.workers * 2 ? DEAD_POOL_PAUSE_MS : 0);
  }

  #end(thread: PoolThread, failure: PoolFailure): void {
    thread.end(failure).catch(() => undefined);
  }

  #startAgain(): void {
    if (this.#closed) return;
    this.#start();
    this.#dispatch();
  }
}

function whyOf(result: PoolFailure, wasReady: boolean): string {
  const why = "error" in result ? `${result.kind}: ${result.error}` : result.kind;
  return wasReady ? why : `could not start: ${why}`;
}
