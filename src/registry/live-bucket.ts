import type { KV } from "@nats-io/kv";

import { within } from "../lib/within.ts";
import { askAgain } from "../nats/ask-again.ts";
import type { Log } from "../telemetry/log.ts";
import type { BucketEntry, OpenBucket } from "./read-bucket.ts";
import { bucketInfo, ofWatch, readBehind, readBucket } from "./read-bucket.ts";

export interface LiveBucketOptions {
  readonly name: string;
  /** Opens the bucket; asked again when it was deleted and made anew. */
  readonly open: () => Promise<OpenBucket>;
  /** False: it is read at the start and when `catchUp` asks, which is all that a command needs. */
  readonly isWatched?: boolean;
  /** Called for every value that is there or comes, `undefined` for one that goes. */
  readonly onChange: (key: string, value: string | undefined) => void;
  /** Called before everything is told anew, because the bucket is another one or lost entries without a word. */
  readonly onReset: () => void;
  /** Called when everything that was there has been told. */
  readonly onListed?: () => void;
  readonly log: Log;
}

const CHECK_EVERY_MS = 2_000;
/** While nothing watches, changes are found by asking. */
const CHECK_UNWATCHED_MS = 400;
/** A watch that works has brought a change by then. */
const WATCH_BRINGS_MS = 250;
const CATCH_UP_STEP_MS = 2;
const WATCH_AGAIN_MS = 1_000;
const LAST_WATCH_MS = 500;
/** Entries that went without a word are looked for at most so often. */
const LIST_AGAIN_MS = 60_000;

/**
 * A KV bucket as it is now: read at the start, then watched.
 *
 * The first view needs no watch, and neither does any change: a watch needs a consumer, which a cluster that has lost a
 * server may place on that server for minutes. The watch is asked for in the background, and while there is none, or it has
 * died in silence, what stands behind the last revision is read by gets. A bucket that was made anew, or lost entries without
 * a word, is read whole again. While nothing can be read the last view stays.
 */
export class LiveBucket {
  readonly #options: LiveBucketOptions;
  #bucket: OpenBucket | undefined;
  #stop: (() => void) | undefined;
  /** Watches of the past see that their time is over. */
  #watchNumber = 0;
  #watching: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #created = "";
  #listedAt = 0;
  #revision = 0;
  /** Of each key the revision that was told last, negative when that was its end. */
  readonly #told = new Map<string, number>();
  #closed = false;
  isLoaded = false;

  constructor(options: LiveBucketOptions) {
    this.#options = options;
  }

  /** Resolves when the first view is whole. Throws when the bucket cannot be read. */
  async start(): Promise<void> {
    await this.listAgain();
    if (this.#options.isWatched !== false) this.#schedule();
  }

  /** The bucket for direct reads and for writes. */
  get kv(): KV {
    return this.#opened.kv;
  }

  /**
   * Resolves when everything that was written before the call, here or elsewhere, is in the view. Throws what the client
   * throws.
   */
  async catchUp(): Promise<void> {
    const { state } = await bucketInfo(this.#opened, this.#options.name);
    await this.#catchUpTo(state.last_seq);
  }

  /** Resolves when the last watch has ended: one that begins on a closed connection never would (nats.js 3.4.0). */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#endWatch();
    await within(this.#watching, LAST_WATCH_MS);
  }

  get #opened(): OpenBucket {
    if (this.#bucket === undefined) throw new Error(`bucket ${this.#options.name} is not open`);
    return this.#bucket;
  }

  #schedule(): void {
    if (this.#closed) return;
    const check = () => {
      this.#check()
        .catch((error: unknown) =>
          this.#options.log.debug("A bucket could not be checked; the last view stays", {
            bucket: this.#options.name,
            error,
          }),
        )
        .finally(() => this.#schedule());
    };
    this.#timer = setTimeout(check, this.#stop === undefined ? CHECK_UNWATCHED_MS : CHECK_EVERY_MS);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    const { name, log } = this.#options;
    // Of before the question: while many write, the watch brings entries that are newer than the answer, before the answer.
    const revision = this.#revision;
    const { created, state } = await bucketInfo(this.#opened, name);
    const madeAnew = String(created) !== this.#created || state.last_seq < revision;
    if (madeAnew) log.warn("A bucket was made anew; it is read again", { bucket: name });
    if (madeAnew || this.#hasOthers(state.num_subjects ?? 0, state.last_seq)) await this.listAgain();
    else await this.#catchUpTo(state.last_seq);
  }

  /** Every key that is there was told, so the numbers of a view that is up to date differ only when keys went without a marker. */
  #hasOthers(keys: number, last: number): boolean {
    return last === this.#revision && keys !== this.#told.size && Date.now() - this.#listedAt >= LIST_AGAIN_MS;
  }

  /** Waits for the watch, if there is one; what it does not bring is read, and another watch takes its place. */
  async #catchUpTo(last: number): Promise<void> {
    const deadline = Date.now() + WATCH_BRINGS_MS;
    while (this.#revision < last && this.#stop !== undefined && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, CATCH_UP_STEP_MS));
    if (this.#revision >= last) return;
    for await (const entry of readBehind(this.#opened, this.#options.name, { from: this.#revision, to: last }))
      this.#follow(entry);
    // The newest message may be gone again, and then no entry brings its number.
    this.#revision = Math.max(this.#revision, last);
    if (this.#stop !== undefined) this.#beginWatch();
  }

  /**
   * Reads everything again, and tells what changed; everything when the bucket is another one or lost entries. Throws what the
   * client throws.
   */
  async listAgain(): Promise<void> {
    const bucket = await this.#options.open();
    const { info, keys, entries } = await readBucket(bucket, this.#options.name);
    const last = info.state.last_seq;
    const isAnew = String(info.created) !== this.#created || last < this.#revision || this.#hasLost(keys, last);
    this.#bucket = bucket;
    this.#created = String(info.created);
    this.#listedAt = Date.now();
    if (isAnew) {
      this.#revision = 0;
      this.#told.clear();
      this.#options.onReset();
    }
    for (const entry of entries) this.#tell(entry);
    // Not the newest revision among them: what was written in between, to keys that had been read, has a lower one.
    this.#revision = Math.max(this.#revision, last);
    if (isAnew) this.#options.onListed?.();
    this.isLoaded = true;
    this.#beginWatch();
  }

  /** A key ends with a marker. Without one somebody purged the stream, or it aged away: nothing known is certain then. */
  #hasLost(keys: ReadonlySet<string>, last: number): boolean {
    for (const [key, revision] of this.#told) if (revision > 0 && revision <= last && !keys.has(key)) return true;
    return false;
  }

  #endWatch(): void {
    this.#watchNumber += 1;
    this.#stop?.();
    this.#stop = undefined;
  }

  #beginWatch(): void {
    this.#endWatch();
    if (this.#closed || this.#options.isWatched === false) return;
    this.#watching = this.#watch(this.#watchNumber).catch((error: unknown) =>
      this.#options.log.error("A bucket is watched no more; it is asked instead", {
        bucket: this.#options.name,
        error,
      }),
    );
  }

  /** Watches behind the last revision, until another watch begins; asks for as long as it takes. */
  async #watch(number: number): Promise<void> {
    const isCurrent = () => number === this.#watchNumber && !this.#closed;
    while (isCurrent()) {
      try {
        const { kv } = this.#opened;
        const entries = await askAgain(
          () => kv.watch({ ignoreDeletes: false, resumeFromRevision: this.#revision + 1 }),
          (late) => late.stop(),
        );
        if (!isCurrent()) return entries.stop();
        this.#stop = () => entries.stop();
        for await (const entry of entries) if (isCurrent()) this.#follow(ofWatch(entry));
      } catch (error) {
        this.#options.log.debug("A bucket cannot be watched yet; it is asked instead", {
          bucket: this.#options.name,
          error,
        });
      }
      if (!isCurrent()) return;
      this.#stop = undefined;
      await new Promise((resolve) => setTimeout(resolve, WATCH_AGAIN_MS).unref());
    }
  }

  /** Takes an entry of those that come in order. */
  #follow(entry: BucketEntry): void {
    this.#revision = Math.max(this.#revision, entry.revision);
    this.#tell(entry);
  }

  #tell({ key, revision, value }: BucketEntry): void {
    if (Math.abs(this.#told.get(key) ?? 0) >= revision) return;
    this.#told.set(key, value === undefined ? -revision : revision);
    this.#options.onChange(key, value);
  }
}
