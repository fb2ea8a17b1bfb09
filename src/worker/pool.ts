import { extname } from "node:path";
import { Worker } from "node:worker_threads";

import type { SchemaVerdict } from "../extract/schema.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { ReadRequest, ReadResponse, SchemaRequest } from "./messages.ts";
import type { HookWish, MailReading, ReadLimits } from "./read-mail.ts";

/** What came of a mail in the pool. `parse-timeout` and `died` cost this mail only, and it is dead-lettered. */
export type PoolResult = MailReading | PoolFailure;

/** What came of a schema in the pool. */
export type SchemaResult = SchemaVerdict | PoolFailure;

type PoolFailure =
  | { readonly kind: "parse-timeout"; readonly cpuMs: number }
  | { readonly kind: "died"; readonly error: string }
  | { readonly kind: "too-slow" }
  | { readonly kind: "busy" };

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

interface Job {
  readonly request: ReadRequest | SchemaRequest;
  readonly resolve: (result: PoolResult | SchemaVerdict) => void;
  readonly waitsSince: number;
}

interface Thread {
  readonly worker: Worker;
  /** It has loaded its code. */
  isReady: boolean;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

const WALL_TIME_FACTOR = 3;
// A thread that has been busy for longer is not counted on: another one is started for the mails that wait behind it.
const HELD_UP_MS = 100;
/** While all are held up there may be so many times the threads: each then has its share of the cores. */
const MOST_HELP = 4;
const SMALL_BYTES = 256 * 1024;
const STARVED_MS = 1_000;
const NO_CPU: NodeJS.CpuUsage = { user: 0, system: 0 };
const DEAD_POOL_PAUSE_MS = 1_000;
// `tsc` rewrites imports but not strings, so a thread is started with its starter's extension.
const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

/**
 * Threads that parse and extract, each with a limit on CPU time, heap and wall time.
 *
 * Invariant: a thread holds at most one job, and a job that was taken always resolves. A mail that is late, or that
 * takes its thread down, costs itself only: the thread is killed and replaced. While every thread is held up by a slow
 * mail, more are started, up to {@link MOST_HELP} times as many, so that an ordinary mail does not wait behind hostile
 * ones; and small mails are taken before big ones.
 */
export class WorkerPool {
  readonly #settings: PoolSettings;
  readonly #threads = new Set<Thread>();
  readonly #waiting: Job[] = [];
  #heldUp: NodeJS.Timeout | undefined;
  #diedInARow = 0;
  #closed = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    for (let i = 0; i < settings.workers; i += 1) this.#start();
  }

  /** Mails that wait for a thread. */
  get waiting(): number {
    return this.#waiting.length;
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

  #ask(request: ReadRequest | SchemaRequest): Promise<PoolResult | SchemaVerdict> {
    if (this.#closed || this.#waiting.length >= this.#settings.maxWaiting) return Promise.resolve({ kind: "busy" });
    return new Promise((resolve) => {
      this.#waiting.push({ request, resolve, waitsSince: performance.now() });
      this.#dispatch();
    });
  }

  /** Ends every thread; what waits is answered `busy`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#heldUp);
    for (const job of this.#waiting.splice(0)) job.resolve({ kind: "busy" });
    const threads = [...this.#threads];
    for (const thread of threads) this.#finish(thread, { kind: "busy" });
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #start(): Thread {
    const worker = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: this.#settings.heapMb } });
    const thread: Thread = { worker, isReady: false, job: undefined, timer: undefined };
    worker.on("message", (response: ReadResponse) => {
      if (response.kind === "ready") {
        thread.isReady = true;
        return;
      }
      this.#diedInARow = 0;
      this.#finish(thread, resultOf(response));
      this.#dispatch();
    });
    worker.on("error", (error) => this.#replace(thread, { kind: "died", error: String(error) }));
    worker.on("exit", () => this.#replace(thread, { kind: "died", error: "the thread ended" }));
    this.#threads.add(thread);
    return thread;
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (this.#waiting.length === 0) break;
      if (thread.job === undefined) this.#give(thread);
    }
    this.#retireSpare();
    if (this.#waiting.length === 0) {
      clearTimeout(this.#heldUp);
      this.#heldUp = undefined;
    } else this.#heldUp ??= setTimeout(() => this.#help(), HELD_UP_MS);
  }

  #give(thread: Thread): void {
    const job = this.#nextJob();
    if (job === undefined) return;
    thread.job = job;
    const startedAt = performance.now();
    // A thread that is still starting has none to tell; unhandled, that rejection would end the daemon.
    const cpuAtStart = thread.worker.cpuUsage().catch(() => NO_CPU);
    this.#judgeIn(this.#settings.parseTimeoutMs, thread, job, startedAt, cpuAtStart);
    thread.worker.postMessage(job.request);
  }

  /** Small mails first, so that they never wait behind big ones; unless the oldest has waited long enough. */
  #nextJob(): Job | undefined {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return undefined;
    const isStarved = performance.now() - oldest.waitsSince > STARVED_MS;
    const index = isStarved ? 0 : Math.max(0, this.#waiting.findIndex(isSmall));
    return this.#waiting.splice(index, 1)[0];
  }

  /** The wall clock says the job is late: kills it when its own CPU time says so too. */
  async #judge(thread: Thread, job: Job, startedAt: number, cpuAtStart: Promise<NodeJS.CpuUsage>): Promise<void> {
    const { parseTimeoutMs } = this.#settings;
    const used = await cpuAtStart.then((before) => thread.worker.cpuUsage(before)).catch(() => undefined);
    if (thread.job !== job) return;
    const cpuMs = used === undefined ? parseTimeoutMs : (used.user + used.system) / 1_000;
    const wallMs = performance.now() - startedAt;
    if (cpuMs >= parseTimeoutMs) this.#replace(thread, { kind: "parse-timeout", cpuMs: Math.round(cpuMs) });
    else if (wallMs >= parseTimeoutMs * WALL_TIME_FACTOR) this.#replace(thread, { kind: "too-slow" });
    else {
      const againMs = Math.max(10, Math.min(parseTimeoutMs - cpuMs, parseTimeoutMs * WALL_TIME_FACTOR - wallMs));
      this.#judgeIn(againMs, thread, job, startedAt, cpuAtStart);
    }
  }

  #judgeIn(ms: number, thread: Thread, job: Job, startedAt: number, cpuAtStart: Promise<NodeJS.CpuUsage>): void {
    thread.timer = setTimeout(() => {
      this.#judge(thread, job, startedAt, cpuAtStart).catch((error: unknown) =>
        this.#replace(thread, { kind: "died", error: String(error) }),
      );
    }, ms);
  }

  #finish(thread: Thread, result: PoolResult | SchemaVerdict): void {
    clearTimeout(thread.timer);
    const { job } = thread;
    thread.job = undefined;
    job?.resolve(result);
  }

  #replace(thread: Thread, result: PoolResult): void {
    if (!this.#threads.delete(thread)) return;
    // A thread that never ran is a fault of ours: its mail must wait, not become a dead letter.
    this.#finish(thread, thread.isReady ? result : { kind: "busy" });
    if (this.#closed) return;
    this.#settings.onRestart(whyOf(result, thread.isReady));
    // Exit and error events of a thread that is gone already are ignored above.
    thread.worker.terminate().catch(() => undefined);
    // Threads that die before they answer anything are a fault of ours: started again for ever, but not in a hot loop.
    this.#diedInARow += 1;
    setTimeout(() => this.#startAgain(), this.#diedInARow > this.#settings.workers * 2 ? DEAD_POOL_PAUSE_MS : 0);
  }

  #startAgain(): void {
    if (this.#closed) return;
    this.#start();
    this.#dispatch();
  }

  #help(): void {
    this.#heldUp = undefined;
    if (this.#waiting.length > 0 && this.#threads.size < this.#settings.workers * MOST_HELP) this.#start();
    this.#dispatch();
  }

  /** An extra thread goes when nothing waits any more. */
  #retireSpare(): void {
    if (this.#threads.size <= this.#settings.workers || this.#waiting.length > 0) return;
    for (const thread of this.#threads) {
      if (thread.job !== undefined || this.#threads.size <= this.#settings.workers) continue;
      this.#threads.delete(thread);
      thread.worker.terminate().catch(() => undefined);
    }
  }
}

function whyOf(result: PoolResult, wasReady: boolean): string {
  const why = "error" in result ? `${result.kind}: ${result.error}` : result.kind;
  return wasReady ? why : `could not start: ${why}`;
}

function resultOf(response: Exclude<ReadResponse, { kind: "ready" }>): PoolResult | SchemaVerdict {
  switch (response.kind) {
    case "reading":
      return response.reading;
    case "verdict":
      return response.verdict;
    case "threw":
      return { kind: "died", error: response.error };
    default:
      return unreachable(response);
  }
}

const isSmall = ({ request }: Job) =>
  ("bytes" in request ? request.bytes.length : request.payload.length) <= SMALL_BYTES;
