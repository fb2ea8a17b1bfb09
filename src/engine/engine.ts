import { within } from "../lib/within.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { SchemaVerdict } from "../extract/schema.ts";
import {
  BATCH_BYTES,
  BATCH_MAILS,
  BUILT_BYTES,
  HEAVY_BYTES,
  LATE_MS,
  SLOW_MS,
  SLOW_PLACES,
  SLOW_WALL_MS,
  STOPPED_MAILS,
} from "./budgets.ts";
import { bytesAt } from "./byte-chunks.ts";
import { EngineThread } from "./engine-thread.ts";
import type { MailAnswer, MailJob, NotPlanned, Plan, Planned, PlannedObject } from "./job.ts";
import type { FromThread, RememberedHook, ThreadSettings, ThreadWork, WorkResult } from "./messages.ts";
import { packed } from "./pack.ts";
import type { HookWish, MailReading } from "./read-mail.ts";
import type { RequestReading, RequestToRead } from "./read-request.ts";
import type { MailWork, TaskAnswer, TaskFailure, TaskWork, Work, WorkState } from "./work.ts";

export interface EngineSettings extends Omit<ThreadSettings, "progress"> {
  /** Threads for ordinary mail; one more stands by. */
  readonly workers: number;
  /** CPU time that one mail may cost, in milliseconds. */
  readonly parseTimeoutMs: number;
  /** Works that may wait for a thread. */
  readonly maxWaiting: number;
  readonly onRestart: (why: string) => void;
  readonly onFault: (sentence: string, error: string) => void;
}

type PlannedResult = WorkResult & { readonly kind: "planned" };

/** How often the threads are looked after while they work. */
const LOOK_MS = 10;
/** The cores are the doors' when the process starts; the spare comes later, or when it is wanted. */
const SPARE_AFTER_MS = 1_000;
/** A thread beyond those that stand by ends when it had nothing to do for so long. */
const SURPLUS_MS = 5_000;
/** CPU time that a mail gets to end by itself while all places of slow mails are taken. */
const STOP_AFTER_CPU_MS = 50;
/** Threads that end before they answer anything are a fault of ours: started again for ever, but not in a hot loop. */
const PAUSE_AFTER_DEATHS_MS = 1_000;
const DEATHS_IN_A_ROW = 4;

/**
 * The engine: threads in which everything that is inside a message is read, decided about and turned into finished bytes.
 *
 * Invariants: a work that was taken is answered once. No mail waits for another one's cost: one that holds its thread for
 * longer than {@link SLOW_MS} ends alone under its budget, and what was given to its thread beside it is read elsewhere; at
 * most {@link SLOW_PLACES} do so at a time, others are stopped and wait for a place. What ends a thread costs that mail only.
 */
export class Engine {
  readonly #settings: EngineSettings;
  readonly #threads = new Set<EngineThread>();
  readonly #light: Work[] = [];
  readonly #heavy: Work[] = [];
  /** Where mails that are planned one by one were read. */
  readonly #places = new Map<MailJob, { readonly thread: EngineThread; readonly id: number }>();
  #lastId = 0;
  /** Finished bytes that wait for their acks. */
  #builtBytes = 0;
  #isGathering = false;
  #look: NodeJS.Timeout | undefined;
  #deathsInARow = 0;
  #startsAgainAt = 0;
  #startedAt: number | undefined;
  #isClosed = false;
  readonly #firstReady = Promise.withResolvers<void>();

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** Starts the first threads, unless a work did so already; the spare follows. */
  start(): void {
    if (this.#startedAt !== undefined || this.#isClosed) return;
    this.#startedAt = performance.now();
    this.#keepThreads(this.#startedAt);
    setTimeout(() => this.#keepThreads(performance.now()), SPARE_AFTER_MS).unref();
  }

  /** Resolves when a thread has loaded its code, at the first try of one or after `patienceMs`. */
  async started(patienceMs: number): Promise<void> {
    this.start();
    await within(this.#firstReady.promise, patienceMs);
  }

  /** Works that wait for a thread. */
  get waiting(): number {
    return this.#light.length + this.#heavy.length;
  }

  /** Threads that are up or start. */
  get threads(): number {
    return this.#threads.size;
  }

  /** Decides about a mail and builds what shall be stored. Never rejects. */
  planMail(job: MailJob, signal?: AbortSignal): Promise<MailAnswer> {
    const isHeavy = job.bytes.length * job.deliveries.length > HEAVY_BYTES;
    return new Promise((resolve) =>
      this.#add({
        ...this.#fresh(isHeavy, signal),
        kind: "mail",
        job,
        only: isHeavy && job.deliveries.length > 1 ? -1 : undefined,
        unread: undefined,
        resolve,
      }),
    );
  }

  /** Holds a payload against a schema, because neither is ours. Never rejects. */
  checkSchema(schema: JsonSchema, payload: JsonText): Promise<SchemaVerdict | TaskFailure> {
    return this.#ask({ kind: "schema", schema, payload }, undefined, payload.length);
  }

  /** Reads what a form or web hook was sent. Never rejects. */
  readRequest(request: RequestToRead): Promise<RequestReading | TaskFailure> {
    return this.#ask(request, request.body);
  }

  /** What a mail holds, for a person who looks at it. Never rejects. */
  report(bytes: Uint8Array, wishes: readonly HookWish[]): Promise<MailReading | TaskFailure> {
    return this.#ask({ kind: "report", wishes }, bytes);
  }

  /** Does a task; the caller knows what a thread answers to what it asks. */
  #ask<Answer extends TaskAnswer>(
    request: TaskWork["request"],
    bytes: Uint8Array | undefined,
    size = bytes?.length ?? 0,
  ): Promise<Answer | TaskFailure> {
    return new Promise((resolve) =>
      this.#add({
        ...this.#fresh(size > HEAVY_BYTES, undefined),
        kind: "task",
        request,
        bytes,
        resolve: (answer) => resolve(answer as Answer | TaskFailure),
      }),
    );
  }

  /** Ends every thread; what waits is answered `busy`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#look);
    const threads = [...this.#threads];
    this.#threads.clear();
    const works = [
      ...this.#light.splice(0),
      ...this.#heavy.splice(0),
      ...threads.flatMap(({ works }) => [...works.values()]),
    ];
    for (const work of works) work.resolve({ kind: "busy" });
    await Promise.all(threads.map((thread) => thread.end()));
  }

  #fresh(isHeavy: boolean, signal: AbortSignal | undefined) {
    return { id: (this.#lastId += 1), isHeavy, signal, hasEndedThread: false, isParked: false } as const;
  }

  /** Takes a work; what one turn of the event loop brings is given out together. */
  #add(work: Work): void {
    if (this.#isClosed || this.waiting >= this.#settings.maxWaiting) return work.resolve({ kind: "busy" });
    this.start();
    (work.isHeavy ? this.#heavy : this.#light).push(work);
    this.#gather();
  }

  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    setImmediate(() => {
      this.#isGathering = false;
      this.#dispatch();
    });
  }

  /** Puts a work that has to be read again in front of all others. */
  #again(
    work: Work,
    changes: Partial<Pick<Work, "isHeavy" | "hasEndedThread">> & { unread?: DeadLetterReason } = {},
  ): void {
    if (work.isParked) return; // Nobody waits now; when a delivery is asked for, it is read again.
    const again: Work = { ...work, ...changes, id: (this.#lastId += 1) };
    (again.isHeavy ? this.#heavy : this.#light).unshift(again);
    this.#gather();
  }

  #dispatch(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.#keepThreads(now);
    this.#giveHeavy();
    this.#giveLight(now);
    this.#look ??= setTimeout(() => this.#lookAfter(), LOOK_MS);
  }

  /** A heavy work gets a thread of its own, but never the last one that ordinary mail could go to. */
  #giveHeavy(): void {
    while (this.#heavy.length > 0) {
      const ready = [...this.#threads].filter((thread) => thread.isReady && !thread.isHeld);
      const held = [...this.#threads].filter((thread) => thread.isHeld).length;
      const free = ready.filter(({ standsBack }) => !standsBack);
      const thread =
        ready.find(({ standsBack }) => standsBack) ?? (free.length < 2 ? undefined : free.findLast(isIdle));
      if (thread === undefined || held >= SLOW_PLACES || this.#isFull()) return;
      const work = this.#heavy.shift();
      if (work !== undefined) this.#give(thread, [work]);
      this.#keepThreads(performance.now());
    }
  }

  /** Ordinary works go to the thread with the least to do; to the spare only when all others are late. */
  #giveLight(now: number): void {
    while (this.#light.length > 0 && !this.#isFull()) {
      const free = this.#free();
      const ready = free.filter((thread) => thread.isReady);
      const usable = ready.length > 0 ? ready : free;
      const active = usable.slice(0, this.#settings.workers);
      const isLate =
        active.every((thread) => !thread.hasRoom) && active.some((thread) => thread.sinceMs(now) > LATE_MS);
      const withRoom = (isLate ? usable : active).filter((thread) => thread.hasRoom);
      const [least] = withRoom.toSorted((a, b) => a.works.size - b.works.size);
      if (least === undefined) return;
      const idle = withRoom.filter(({ isIdle }) => isIdle).length;
      const most = Math.min(BATCH_MAILS, Math.ceil(this.#light.length / Math.max(1, idle)));
      this.#give(least, this.#takeLight(most));
    }
  }

  #takeLight(most: number): Work[] {
    let bytes = 0;
    let count = 0;
    while (count < most && count < this.#light.length && (count === 0 || bytes <= BATCH_BYTES)) {
      const work = this.#light[count];
      bytes += work === undefined ? 0 : sizeOf(work);
      count += 1;
    }
    return this.#light.splice(0, count);
  }

  #isFull(): boolean {
    return this.#builtBytes > BUILT_BYTES;
  }

  #give(thread: EngineThread, works: readonly Work[]): void {
    const hooks: RememberedHook[] = [];
    for (const work of works) thread.works.set(work.id, work);
    const asked = works.map((work): ThreadWork & { bytes?: Uint8Array } => {
      if (work.kind === "task") {
        const { id, request, bytes } = work;
        if ("kind" in request) return { id, request, ...(bytes && { bytes }) };
        const { hook, body, ...rest } = request;
        // A mail's delivery tells the rest of the hook; what a request wants stands in the hook itself.
        const slot = thread.slotOf({ hook, keyValue: undefined, schemaSha256: undefined }, hooks);
        return { id, request: { kind: "body", slot, ...rest }, bytes: body };
      }
      const { bytes, deliveries, ...mail } = work.job;
      const wired = deliveries.map((delivery) => thread.wire(delivery, hooks));
      const { only, unread } = work;
      const asked = { ...(only !== undefined && { only }), ...(unread && { unread }) };
      return { id: work.id, request: { kind: "mail", mail: { ...mail, deliveries: wired }, ...asked }, bytes };
    });
    thread.give(packed(asked), hooks);
  }

  #takeResults(thread: EngineThread, { results, chunks }: FromThread & { readonly kind: "results" }): void {
    this.#deathsInARow = 0;
    for (const { id, result } of results) {
      const work = thread.works.get(id);
      // It was given to another thread meanwhile.
      if (work === undefined) continue;
      if (result.kind === "planned") this.#answerPlanned(thread, work, result, chunks);
      else {
        thread.works.delete(id);
        this.#answerTask(work, result);
      }
    }
    // At once: what waits shall not wait for the turn's end, too.
    this.#dispatch();
  }

  #answerPlanned(thread: EngineThread, work: Work, result: PlannedResult, chunks: readonly ArrayBuffer[]): void {
    if (work.kind !== "mail") return;
    const { facts, eventIds } = result;
    const { job, only } = work;
    if (only === undefined) thread.works.delete(work.id);
    else {
      thread.works.set(work.id, { ...work, isParked: true });
      this.#places.set(job, { thread, id: work.id });
    }
    if (eventIds === undefined) return work.resolve(this.#plannedOf(result, chunks, job.bytes));
    const plan = (index: number) =>
      new Promise<Planned | NotPlanned>((resolve) => {
        // Asked for one delivery, a thread never answers with the ids of all.
        this.#planNext({ ...work, only: index, resolve: resolve as MailWork["resolve"] });
      });
    work.resolve({ kind: "one-by-one", facts, eventIds, plan, end: () => this.#forget(job) });
  }

  #plannedOf({ facts, plans, objects }: PlannedResult, chunks: readonly ArrayBuffer[], mail: Uint8Array): Planned {
    const built = chunks.length === 0 ? 0 : sizeOfPlans(plans, objects);
    this.#builtBytes += built;
    let isHeld = true;
    return {
      kind: "planned",
      facts,
      plans: plans.map((plan): Plan =>
        plan.kind === "publish" || plan.kind === "dead-letter"
          ? { ...plan, bytes: bytesAt(plan.bytes, chunks, mail) }
          : plan,
      ),
      objects: objects.map((object): PlannedObject => ({ ...object, bytes: bytesAt(object.bytes, chunks, mail) })),
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#builtBytes -= built;
        if (this.waiting > 0) this.#gather();
      },
    };
  }

  /** One delivery more of a mail that its thread has read; it is read again where that thread has dropped it. */
  #planNext(work: MailWork & WorkState): void {
    const place = this.#places.get(work.job);
    if (place === undefined || !this.#threads.has(place.thread) || !place.thread.works.has(place.id))
      return this.#again(work);
    place.thread.works.set(place.id, { ...work, id: place.id });
    place.thread.askFor(place.id, work.only ?? 0);
    this.#look ??= setTimeout(() => this.#lookAfter(), LOOK_MS);
  }

  #forget(job: MailJob): void {
    const place = this.#places.get(job);
    this.#places.delete(job);
    if (place !== undefined) place.thread.forget(place.id);
    this.#gather();
  }

  #answerTask(work: Work, result: Exclude<WorkResult, { readonly kind: "planned" }>): void {
    if (result.kind === "threw") return this.#blame(work, result.error);
    if (work.kind === "task") work.resolve(result.kind === "verdict" ? result.verdict : result.reading);
  }

  /** A work during which a thread ended, or our code threw: it is done once more, alone, before it is blamed. */
  #blame(work: Work, error: string): void {
    if (!work.hasEndedThread) return this.#again(work, { hasEndedThread: true, isHeavy: true });
    if (work.kind === "task") return work.resolve({ kind: "died", error });
    if (work.unread !== undefined) return work.resolve({ kind: "fault", error });
    const detail = `The thread that parsed it ended: ${error.split("\n", 1)[0] ?? ""}`;
    this.#again({ ...work, hasEndedThread: false }, { unread: { code: "unparseable", detail } });
  }

  /** Ends what is late, gives others what stood behind it, and keeps the number of threads. */
  #lookAfter(): void {
    this.#look = undefined;
    if (this.#isClosed) return;
    const now = performance.now();
    for (const thread of this.#threads) {
      if (thread.slow !== undefined) continue;
      const slow = thread.heldFor(SLOW_MS, SLOW_WALL_MS, now);
      if (slow !== undefined) for (const other of thread.leaveAlone(slow, now)) this.#again(other);
    }
    const slow = [...this.#threads].filter((thread) => thread.slow !== undefined);
    slow.sort((a, b) => (a.slow?.since ?? 0) - (b.slow?.since ?? 0));
    for (const [place, thread] of slow.entries()) this.#judge(thread, now, place >= SLOW_PLACES);
    for (const queue of [this.#light, this.#heavy])
      for (let at = queue.length - 1; at >= 0; at -= 1)
        if (queue[at]?.signal?.aborted === true)
          for (const work of queue.splice(at, 1)) work.resolve({ kind: "too-slow" });
    this.#endSurplus(now);
    const isAtWork = this.waiting > 0 || [...this.#threads].some(({ isBusy }) => isBusy) || this.#hasSurplus();
    if (isAtWork) this.#dispatch();
  }

  #judge(thread: EngineThread, now: number, isWithoutPlace: boolean): void {
    const { parseTimeoutMs } = this.#settings;
    if (thread.hasForgotten(now, parseTimeoutMs)) return this.#remove(thread, "it did not come back");
    thread.judge(now, isWithoutPlace ? Math.min(STOP_AFTER_CPU_MS, parseTimeoutMs) : parseTimeoutMs).then(
      (late) => {
        const work = thread.works.get(thread.slow?.work.id ?? 0);
        if (late === undefined || work === undefined || work.isParked || !this.#threads.has(thread)) return;
        this.#remove(thread, late.kind);
        if (isWithoutPlace && late.cpuMs < parseTimeoutMs) this.#wait(work);
        else if (late.kind === "too-slow") work.resolve({ kind: "too-slow" });
        else if (work.kind === "task") work.resolve({ kind: "parse-timeout", cpuMs: late.cpuMs });
        else if (work.unread !== undefined) work.resolve({ kind: "fault", error: "a dead letter took too long" });
        else this.#again({ ...work, isHeavy: true }, { unread: timeoutReason(late.cpuMs) });
      },
      (error: unknown) => this.#settings.onFault("An engine thread could not be judged", String(error)),
    );
  }

  /** A slow mail without a place waits for one; when too many do, it is tried later. */
  #wait(work: Work): void {
    if (this.#heavy.length >= STOPPED_MAILS) work.resolve({ kind: "busy" });
    else {
      this.#heavy.push({ ...work, id: (this.#lastId += 1), isHeavy: true, isParked: false });
      this.#gather();
    }
  }

  #threadEnded(thread: EngineThread, error: string): void {
    if (!this.#threads.has(thread)) return;
    const { atHand } = thread;
    const works = [...thread.works.values()];
    this.#remove(thread, thread.isReady ? `died: ${error}` : `could not start: ${error}`);
    this.#deathsInARow += 1;
    if (this.#deathsInARow > DEATHS_IN_A_ROW) {
      this.#startsAgainAt = performance.now() + PAUSE_AFTER_DEATHS_MS;
      setTimeout(() => this.#gather(), PAUSE_AFTER_DEATHS_MS).unref();
    }
    for (const work of works) {
      // A thread that never ran is a fault of ours: its works must wait.
      if (!thread.isReady) work.resolve({ kind: "busy" });
      else if (atHand === undefined || work === atHand) this.#blame(work, error);
      else this.#again(work);
    }
    this.#gather();
  }

  #remove(thread: EngineThread, why: string): void {
    this.#threads.delete(thread);
    thread.end().catch(() => undefined);
    this.#settings.onRestart(why);
    this.#gather();
  }

  /** As many threads without a slow or heavy work as there shall be, and one that stands by. */
  #keepThreads(now: number): void {
    if (this.#isClosed || this.#startedAt === undefined || now < this.#startsAgainAt) return;
    const { workers } = this.#settings;
    const isSpareWanted =
      now - this.#startedAt >= SPARE_AFTER_MS ||
      this.#heavy.length > 0 ||
      [...this.#threads].some(({ isHeld }) => isHeld);
    const wanted = workers + (isSpareWanted ? 1 : 0);
    let free = this.#free().length;
    const most = workers + 1 + 2 * SLOW_PLACES;
    for (; free < wanted && this.#threads.size < most; free += 1) this.#startThread();
  }

  #startThread(): void {
    const { limits, dnsServers, authservIds, objectBucket } = this.#settings;
    this.#threads.add(
      new EngineThread(
        { limits, dnsServers, authservIds, objectBucket },
        {
          onReady: () => {
            this.#firstReady.resolve();
            this.#gather();
          },
          onResults: (thread, message) => this.#takeResults(thread, message),
          onAlone: (thread) => {
            thread.slow = undefined;
            this.#gather();
          },
          onFault: this.#settings.onFault,
          onEnd: (thread, error) => this.#threadEnded(thread, error),
        },
      ),
    );
  }

  #hasSurplus(): boolean {
    return this.#free().length > this.#settings.workers + 1 || [...this.#threads].some(({ standsBack }) => standsBack);
  }

  /** Threads for ordinary works. */
  #free(): EngineThread[] {
    return [...this.#threads].filter((thread) => !thread.isHeld && !thread.standsBack);
  }

  #endSurplus(now: number): void {
    if (!this.#hasSurplus()) return;
    const idle = [...this.#threads].filter((each) => each.isReady && each.isIdle && each.sinceMs(now) > SURPLUS_MS);
    const isTooMany = this.#free().length > this.#settings.workers + 1;
    const thread = idle.find(({ standsBack }) => standsBack) ?? (isTooMany ? idle.at(-1) : undefined);
    if (thread === undefined) return;
    this.#threads.delete(thread);
    thread.end().catch(() => undefined);
  }
}

const isIdle = (thread: EngineThread): boolean => thread.isIdle;

const sizeOf = (work: Work): number =>
  work.kind === "mail" ? work.job.bytes.length * work.job.deliveries.length : (work.bytes?.length ?? 0);

function sizeOfPlans(plans: PlannedResult["plans"], objects: PlannedResult["objects"]): number {
  let size = 0;
  for (const plan of plans) if ("bytes" in plan) size += plan.bytes[2];
  for (const { bytes } of objects) if (bytes[0] >= 0) size += bytes[2];
  return size;
}

const timeoutReason = (cpuMs: number): DeadLetterReason => ({
  code: "parse-timeout",
  detail: `Parsing was stopped after ${Math.round(cpuMs)} ms of CPU time`,
});
