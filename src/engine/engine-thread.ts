import { extname } from "node:path";
import { Worker } from "node:worker_threads";

import type { Hook } from "../model/hook.ts";
import { BATCHES_IN_HAND, THREAD_HEAP_MB, WALL_TIME_FACTOR } from "./budgets.ts";
import type { FromThread, RememberedHook, ThreadSettings, ThreadWork, ToThread, WireDelivery } from "./messages.ts";
import type { DeliveryJob } from "./job.ts";
import { Progress } from "./progress.ts";
import { cpuMsOf, standBack } from "./thread-cpu.ts";
import type { Work } from "./work.ts";

// `tsc` rewrites imports but not strings, so a thread is started with its starter's extension.
const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
/** What holds a thread for longer lets all others go first. */
const STAND_BACK_MS = 30;
/** Hooks that a thread remembers. */
const SLOTS = 1_024;

export interface ThreadEvents {
  readonly onReady: (thread: EngineThread) => void;
  readonly onResults: (thread: EngineThread, message: FromThread & { readonly kind: "results" }) => void;
  readonly onAlone: (thread: EngineThread) => void;
  readonly onFault: (sentence: string, error: string) => void;
  readonly onEnd: (thread: EngineThread, error: string) => void;
}

/** What a thread shall do, with what it has to be told for it. */
export interface Batch {
  readonly works: readonly ThreadWork[];
  readonly block: ArrayBuffer | undefined;
}

/** One engine thread as the main side sees it, and the works that it has. */
export class EngineThread {
  readonly #worker: Worker;
  readonly #progress = new Progress();
  /** Works that were given and not answered, by number. */
  readonly works = new Map<number, Work>();
  isReady = false;
  /** The work that holds the thread alone. */
  slow: { readonly work: Work; readonly since: number; readonly cpuBefore: Promise<NodeJS.CpuUsage> } | undefined;
  #batches = 0;
  /** When it began the batch that it is at, or became idle. */
  #since = performance.now();
  #seen: { readonly id: number; readonly since: number; readonly cpuMs: number | undefined } = {
    id: 0,
    since: 0,
    cpuMs: undefined,
  };
  /** By which the system knows it. */
  #number: number | undefined;
  #standsBack = false;
  readonly #slots = new Map<Hook, RememberedHook>();
  #lastSlot = -1;

  constructor(settings: Omit<ThreadSettings, "progress">, events: ThreadEvents) {
    const workerData: ThreadSettings = { ...settings, progress: this.#progress.memory };
    this.#worker = new Worker(THREAD, { workerData, resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB } });
    this.#worker.on("message", (message: FromThread) => {
      switch (message.kind) {
        case "ready":
          this.isReady = true;
          this.#number = message.thread;
          return events.onReady(this);
        case "results":
          this.#batches -= message.batchesDone;
          if (message.batchesDone > 0) this.#since = performance.now();
          return events.onResults(this, message);
        case "alone-done":
          return events.onAlone(this);
        case "fault":
          return events.onFault(message.sentence, message.error);
        case "unloaded":
          this.isReady = false;
          return events.onEnd(this, message.error);
      }
    });
    this.#worker.on("error", (error) => events.onEnd(this, String(error)));
    this.#worker.on("exit", () => events.onEnd(this, "the thread ended"));
  }

  get hasRoom(): boolean {
    return !this.isHeld && this.#batches < BATCHES_IN_HAND;
  }

  /** A slow or heavy work has it for itself. */
  get isHeld(): boolean {
    if (this.slow !== undefined) return true;
    for (const { isHeavy } of this.works.values()) if (isHeavy) return true;
    return false;
  }

  /** Nothing is asked of it. */
  get isIdle(): boolean {
    return this.slow === undefined && this.works.size === 0 && this.#batches === 0;
  }

  /** It is at a batch, and not only waiting for DNS. */
  get isBusy(): boolean {
    return this.#batches > 0 || this.slow !== undefined || this.#progress.atHand !== 0;
  }

  /** For how many milliseconds it has been at its batch, or idle. */
  sinceMs(now: number): number {
    return now - this.#since;
  }

  give({ works, block }: Batch, hooks: readonly RememberedHook[]): void {
    if (this.#batches === 0) this.#since = performance.now();
    this.#batches += 1;
    this.#say({ kind: "batch", hooks, works, block }, block === undefined ? [] : [block]);
  }

  /** Asks for a delivery of a mail that it has; its time begins anew, for building it costs what it has bytes. */
  askFor(id: number, index: number): void {
    if (this.slow?.work.id === id) this.slow = this.#slowFrom(this.slow.work, performance.now());
    this.#say({ kind: "plan", id, index });
  }

  forget(id: number): void {
    this.works.delete(id);
    this.#say({ kind: "forget", id });
  }

  /** The delivery as the thread knows its hook; what the thread has to be told for that is added to `news`. */
  wire(delivery: DeliveryJob, news: RememberedHook[]): WireDelivery {
    const { tag, addresses, traceparent } = delivery;
    return { slot: this.slotOf(delivery, news), tag, addresses, traceparent };
  }

  /** The number by which the thread knows a hook. */
  slotOf({ hook, keyValue, schemaSha256 }: Omit<RememberedHook, "slot">, news: RememberedHook[]): number {
    let known = this.#slots.get(hook);
    if (known === undefined || known.keyValue !== keyValue) {
      const slot = known?.slot ?? this.#freeSlot();
      known = { slot, hook, keyValue, schemaSha256 };
      this.#slots.set(hook, known);
      news.push(known);
    }
    return known.slot;
  }

  #freeSlot(): number {
    if (this.#lastSlot + 1 < SLOTS) return (this.#lastSlot += 1);
    for (const [hook, { slot }] of this.#slots) {
      this.#slots.delete(hook);
      return slot;
    }
    return 0;
  }

  /** It lets all others go first, for good: no thread for ordinary works. */
  get standsBack(): boolean {
    return this.#standsBack;
  }

  standBack(): void {
    if (this.#standsBack) return;
    this.#standsBack = true;
    standBack(this.#number);
  }

  /**
   * The work that has held the thread for `ms`: of a core, not only of time, in which other processes may have had the core,
   * unless it is longer than `wallMs`.
   */
  heldFor(ms: number, wallMs: number, now: number): Work | undefined {
    const id = this.#progress.atHand;
    if (id !== this.#seen.id) {
      this.#seen = { id, since: now, cpuMs: id === 0 ? undefined : cpuMsOf(this.#number) };
      return undefined;
    }
    const heldMs = now - this.#seen.since;
    if (id === 0 || heldMs < ms) return undefined;
    const cpuMs = heldMs >= wallMs ? undefined : cpuMsOf(this.#number);
    const usedMs = cpuMs === undefined || this.#seen.cpuMs === undefined ? heldMs : cpuMs - this.#seen.cpuMs;
    return usedMs >= ms / 2 ? this.works.get(id) : undefined;
  }

  /** The work that the thread was at when it was last looked at: what it died of, if it died. */
  get atHand(): Work | undefined {
    return this.works.get(this.#progress.atHand);
  }

  /** From now on only `work` counts there; everything else that it has is given to others. Answers that. */
  leaveAlone(work: Work, now: number): Work[] {
    const others = [...this.works.values()].filter((other) => other !== work);
    for (const { id } of others) this.works.delete(id);
    this.slow = this.#slowFrom(work, now);
    this.#progress.alone = work.id;
    this.#say({ kind: "alone" });
    return others;
  }

  #slowFrom(work: Work, since: number): NonNullable<EngineThread["slow"]> {
    return { work, since, cpuBefore: this.#worker.cpuUsage().catch(() => ({ user: 0, system: 0 })) };
  }

  /** Its slow work was answered, and it never said that it has dropped the rest. */
  hasForgotten(now: number, timeoutMs: number): boolean {
    return (
      this.slow !== undefined &&
      !this.works.has(this.slow.work.id) &&
      now - this.slow.since > timeoutMs * WALL_TIME_FACTOR
    );
  }

  /**
   * Whether its slow work has used up its time: by CPU time of the thread, or by wall time where others have the cores.
   */
  async judge(
    now: number,
    timeoutMs: number,
  ): Promise<{ readonly kind: "parse-timeout" | "too-slow"; readonly cpuMs: number } | undefined> {
    const { slow } = this;
    if (slow === undefined) return undefined;
    if (now - slow.since >= STAND_BACK_MS) this.standBack();
    if (now - slow.since < timeoutMs) return undefined;
    const used = await slow.cpuBefore.then((cpu) => this.#worker.cpuUsage(cpu)).catch(() => undefined);
    if (this.slow !== slow) return undefined;
    const cpuMs = used === undefined ? timeoutMs : Math.round((used.user + used.system) / 1_000);
    if (cpuMs >= timeoutMs) return { kind: "parse-timeout", cpuMs };
    return now - slow.since >= timeoutMs * WALL_TIME_FACTOR ? { kind: "too-slow", cpuMs } : undefined;
  }

  /** Its last events are the engine's to ignore. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #say(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
