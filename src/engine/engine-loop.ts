import { checkSchema } from "../extract/schema.ts";
import { LoadError } from "../lib/load-late.ts";
import { stackOf } from "../lib/stack-of.ts";
import type { Hook } from "../model/hook.ts";
import { ByteChunks } from "./byte-chunks.ts";
import type { MailJob } from "./job.ts";
import type { ReadingSettings } from "./mail-in-hand.ts";
import { MailInHand } from "./mail-in-hand.ts";
import type { FromThread, MailRequest, ThreadSettings, ThreadWork, ToThread, WorkResult } from "./messages.ts";
import { Progress } from "./progress.ts";
import { readMail } from "./read-mail.ts";
import { readRequest } from "./read-request.ts";
import { SharedGarbage } from "./shared-garbage.ts";

type Batch = ToThread & { readonly kind: "batch" };
type Say = (message: FromThread, transfer?: readonly ArrayBuffer[]) => void;

/** A mail of the thread, and the number that the main side knows it by. */
interface InHand {
  readonly id: number;
  readonly mail: MailInHand;
}

/** Large mails that were read and lie uncollected. */
const MAX_READ_BYTES = 16 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** What an engine thread does: takes batches, goes through them step by step, and answers each work once. */
export class EngineLoop {
  readonly #settings: ThreadSettings;
  readonly #say: Say;
  readonly #authenticate: ReadingSettings["authenticate"];
  readonly #progress: Progress;
  readonly #garbage = new SharedGarbage(MAX_READ_BYTES);
  /** By slot. */
  readonly #hooks: {
    readonly hook: Hook;
    readonly keyValue: string | undefined;
    readonly schemaSha256: string | undefined;
  }[] = [];
  /** Works that were begun and not answered, mails of which a further delivery may be asked for included. */
  readonly #inHand = new Map<number, MailInHand | undefined>();
  readonly #chunks = new ByteChunks();
  #results: { readonly id: number; readonly result: WorkResult }[] = [];
  #batchesDone = 0;
  #isFlushing = false;
  /** Works with pauses are done one after the other. */
  #slowly: Promise<void> = Promise.resolve();

  constructor(settings: ThreadSettings, say: Say, authenticate: ReadingSettings["authenticate"]) {
    this.#settings = settings;
    this.#say = say;
    this.#authenticate = authenticate;
    this.#progress = new Progress(settings.progress);
  }

  take(message: ToThread): void {
    switch (message.kind) {
      case "batch":
        this.#batch(message);
        return;
      case "plan": {
        const mail = this.#inHand.get(message.id);
        if (mail !== undefined) this.#finish({ id: message.id, mail }, message.index);
        return this.#flush();
      }
      case "forget":
        this.#inHand.delete(message.id);
        return this.#settleAlone();
      case "alone":
        return this.#settleAlone();
    }
  }

  #batch({ hooks, works, block }: Batch): void {
    for (const { slot, ...hook } of hooks) this.#hooks[slot] = hook;
    const mails: InHand[] = [];
    for (const work of works) {
      this.#inHand.set(work.id, undefined);
      const bytes = bytesOf(work, block);
      const { request } = work;
      if (request.kind === "mail") mails.push({ id: work.id, mail: this.#mailOf(request, bytes) });
      else this.#slowly = this.#slowly.then(() => this.#doTask(work, bytes));
    }
    for (const { id, mail } of mails) this.#inHand.set(id, mail);
    this.#step(mails, (mail) => mail.parse());
    this.#step(mails, (mail) => mail.authenticate());
    this.#step(mails, (mail) => mail.extract());
    const quick = mails.filter(({ mail }) => !mail.choosesSlowly);
    this.#step(quick, (mail) => mail.chooseNow());
    for (const one of quick) this.#await(one);
    for (const one of mails)
      if (one.mail.choosesSlowly)
        this.#slowly = this.#slowly.then(async () => {
          await this.#whileCounts(one.id, () => one.mail.choose());
          this.#await(one);
          // Its batch was flushed long ago, and where DNS is remembered nothing else is waited for.
          this.#flushSoon();
        });
    this.#batchesDone += 1;
    this.#flush();
  }

  /** Does a step for each mail that still counts. */
  #step(mails: readonly InHand[], step: (mail: MailInHand) => void): void {
    for (const { id, mail } of mails) {
      if (!this.#counts(id)) continue;
      try {
        this.#progress.during(id, () => step(mail));
      } catch (error) {
        this.#fail(id, error);
      }
    }
  }

  /** Finishes a mail as soon as what it waits for is there. */
  #await({ id, mail }: InHand): void {
    if (!this.#counts(id)) return;
    const waiting = mail.waitsFor();
    if (waiting === undefined) return this.#finish({ id, mail });
    waiting.then(
      () => {
        this.#finish({ id, mail });
        this.#flushSoon();
      },
      (error: unknown) => this.#fail(id, error),
    );
  }

  #finish({ id, mail }: InHand, only?: number): void {
    if (!this.#counts(id)) return;
    try {
      const result = this.#progress.during(id, () => mail.plan(this.#chunks, only));
      this.#results.push({ id, result });
      // Its deliveries are asked for one by one, until it is forgotten.
      if (mail.isOneByOne) return;
      this.#inHand.delete(id);
      this.#garbage.add(mail.job.bytes);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  async #doTask({ id, request }: ThreadWork, bytes: Uint8Array): Promise<void> {
    await this.#whileCounts(id, async () => {
      if (request.kind === "schema")
        this.#results.push({
          id,
          result: { kind: "verdict", verdict: await checkSchema(request.schema, request.payload) },
        });
      else if (request.kind === "body") {
        const hook = this.#hooks[request.slot]?.hook;
        if (hook === undefined) throw new Error("a hook that the thread was not told of");
        const reading = await readRequest({ ...request, hook, body: bytes });
        this.#results.push({ id, result: { kind: "body", reading } });
      } else if (request.kind === "report") {
        const reading = await readMail(bytes, request.wishes, this.#settings.limits);
        this.#results.push({ id, result: { kind: "report", reading } });
      }
      this.#inHand.delete(id);
    });
    this.#flushSoon();
  }

  async #whileCounts(id: number, work: () => Promise<void>): Promise<void> {
    if (!this.#counts(id)) return;
    try {
      await this.#progress.duringAll(id, work);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: number, error: unknown): void {
    this.#inHand.delete(id);
    const text = stackOf(error);
    if (error instanceof LoadError) return this.#say({ kind: "unloaded", error: text });
    this.#results.push({ id, result: { kind: "threw", error: text } });
    this.#flushSoon();
  }

  /** Whether anybody waits for this work: it was not dropped, and no other one has to end alone. */
  #counts(id: number): boolean {
    const { alone } = this.#progress;
    return this.#inHand.has(id) && (alone === 0 || alone === id);
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#results.length > 0 || this.#batchesDone > 0) {
      const chunks = this.#chunks.take();
      this.#say({ kind: "results", results: this.#results, chunks, batchesDone: this.#batchesDone }, chunks);
      this.#results = [];
      this.#batchesDone = 0;
    }
    this.#settleAlone();
  }

  /** Everything else was given to other threads when a work had to end alone: dropped once that one has ended. */
  #settleAlone(): void {
    const { alone } = this.#progress;
    if (alone === 0 || this.#inHand.has(alone)) return;
    this.#inHand.clear();
    this.#progress.alone = 0;
    this.#say({ kind: "alone-done" });
  }

  #mailOf({ mail, only, unread }: MailRequest, bytes: Uint8Array): MailInHand {
    const deliveries = mail.deliveries.map(({ slot, tag, addresses, traceparent }) => {
      const known = this.#hooks[slot];
      if (known === undefined) throw new Error("a hook that the thread was not told of");
      return { ...known, tag, addresses, traceparent };
    });
    const job: MailJob = { ...mail, bytes, deliveries };
    return new MailInHand(
      { job, ...(only !== undefined && { only }), ...(unread && { unread }) },
      { limits: this.#settings.limits, objectBucket: this.#settings.objectBucket, authenticate: this.#authenticate },
    );
  }
}

function bytesOf({ bytes, inBlock }: ThreadWork, block: ArrayBuffer | undefined): Uint8Array {
  if (bytes !== undefined) return bytes;
  return inBlock === undefined || block === undefined ? EMPTY : Buffer.from(block, ...inBlock);
}
