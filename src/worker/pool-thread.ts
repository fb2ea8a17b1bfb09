import { extname } from "node:path";
import { Worker } from "node:worker_threads";

import { unreachable } from "../lib/unreachable.ts";
import type { Job, JobResult, PoolFailure, PoolResult } from "./job.ts";
import type { ReadResponse } from "./messages.ts";

// `tsc` rewrites imports but not strings, so a thread is started with its starter's extension.
const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
const WALL_TIME_FACTOR = 3;

export interface ThreadEvents {
  readonly onAnswer: () => void;
  readonly onEnd: (thread: PoolThread, failure: PoolFailure) => void;
}

/** One thread of the pool, and the job that it has. */
export class PoolThread {
  readonly #worker: Worker;
  #job: Job | undefined;
  readonly #parseTimeoutMs: number;
  #isReady = false;
  /** When its job was begun, or when the last one ended. */
  #since = performance.now();
  /** What the thread had used when its job was first looked at, so that an ordinary job need not ask for it. */
  #baseline: { readonly at: number; readonly cpu: Promise<NodeJS.CpuUsage> } | undefined;

  constructor(settings: { readonly heapMb: number; readonly parseTimeoutMs: number }, events: ThreadEvents) {
    this.#parseTimeoutMs = settings.parseTimeoutMs;
    this.#worker = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: settings.heapMb } });
    this.#worker.on("message", (response: ReadResponse) => {
      if (response.kind === "ready") {
        this.#isReady = true;
        return;
      }
      if (response.kind === "unloaded") {
        this.#isReady = false;
        events.onEnd(this, { kind: "died", error: response.error });
        return;
      }
      this.#finish(resultOf(response));
      events.onAnswer();
    });
    this.#worker.on("error", (error) => events.onEnd(this, { kind: "died", error: String(error) }));
    this.#worker.on("exit", () => events.onEnd(this, { kind: "died", error: "the thread ended" }));
  }

  /** It has loaded its code. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get isIdle(): boolean {
    return this.#job === undefined;
  }

  /** For how many milliseconds it has been at its job, or has had none. */
  sinceMs(now: number): number {
    return now - this.#since;
  }

  give(job: Job): void {
    this.#begin(job);
    this.#worker.postMessage(job.request);
  }

  /**
   * Why the job has to end, if it is late: by CPU time of the thread, or by wall time where others have the cores. The time
   * before the first look is taken for CPU time.
   */
  async judge(now: number): Promise<PoolFailure | undefined> {
    const job = this.#job;
    if (job === undefined) return undefined;
    // A thread that is still starting has none to tell; unhandled, that rejection would end the daemon.
    this.#baseline ??= { at: now, cpu: this.#worker.cpuUsage().catch(() => ({ user: 0, system: 0 })) };
    const wallMs = this.sinceMs(now);
    if (wallMs < this.#parseTimeoutMs) return undefined;
    const before = this.#baseline.at - this.#since;
    const used = await this.#baseline.cpu.then((cpu) => this.#worker.cpuUsage(cpu)).catch(() => undefined);
    if (this.#job !== job) return undefined;
    const cpuMs = used === undefined ? this.#parseTimeoutMs : before + (used.user + used.system) / 1_000;
    if (cpuMs >= this.#parseTimeoutMs) return { kind: "parse-timeout", cpuMs: Math.round(cpuMs) };
    return wallMs >= this.#parseTimeoutMs * WALL_TIME_FACTOR ? { kind: "too-slow" } : undefined;
  }

  /** Ends the thread, and its job with `result`. Its last events are the pool's to ignore. */
  async end(result: PoolResult): Promise<void> {
    // A thread that never ran is a fault of ours: its mail must wait, not become a dead letter.
    this.#finish(this.#isReady ? result : { kind: "busy" });
    await this.#worker.terminate();
  }

  #finish(result: JobResult): void {
    const job = this.#job;
    this.#begin(undefined);
    job?.resolve(result);
  }

  #begin(job: Job | undefined): void {
    this.#job = job;
    this.#since = performance.now();
    this.#baseline = undefined;
  }
}

function resultOf(response: Exclude<ReadResponse, { kind: "ready" | "unloaded" }>): JobResult {
  switch (response.kind) {
    case "reading":
      return response.reading;
    case "verdict":
      return response.verdict;
    case "hash":
      return response;
    case "threw":
      return { kind: "died", error: response.error };
    default:
      return unreachable(response);
  }
}
