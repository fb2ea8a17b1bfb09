import type { KV, KvEntry, KvWatchEntry } from "@nats-io/kv";

import type { Log } from "../telemetry/log.ts";

export interface LiveBucketOptions {
  readonly name: string;
  /** Opens the bucket; asked again when it was deleted and made anew. */
  readonly open: () => Promise<KV>;
  /** Called for every value that is there or comes, `undefined` for one that goes. */
  readonly onChange: (key: string, value: string | undefined) => void;
  /** Called before everything is listed anew. */
  readonly onReset: () => void;
  /** Called when everything that was there has been told. */
  readonly onListed?: () => void;
  readonly log: Log;
}

const CHECK_EVERY_MS = 2_000;
const CATCH_UP_MS = 2_000;
const CATCH_UP_STEP_MS = 2;
const LIST_AGAIN_MS = 60_000;

/**
 * A KV bucket as it is now: listed at the start, then watched.
 *
 * A watch dies in silence when its bucket is made anew, so the bucket's own number is compared every two seconds, and
 * everything is listed again every minute (nats.js 3.4.0). While nothing can be read the last view stays.
 */
export class LiveBucket {
  readonly #options: LiveBucketOptions;
  #kv: KV | undefined;
  #stop: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #created = "";
  #listedAt = 0;
  #revision = 0;
  #closed = false;
  isLoaded = false;

  constructor(options: LiveBucketOptions) {
    this.#options = options;
  }

  /** Resolves when the first view is whole. Throws when the bucket cannot be read. */
  async start(): Promise<void> {
    await this.#list();
    this.#schedule();
  }

  /** The bucket for direct reads and for writes. */
  get kv(): KV {
    if (this.#kv === undefined) throw new Error(`bucket ${this.#options.name} is not open`);
    return this.#kv;
  }

  /**
   * Resolves when everything that was written before the call, here or elsewhere, is in the view. Throws what the client
   * throws. A watch that does not bring it in time is replaced by a new one.
   */
  async catchUp(): Promise<void> {
    const { streamInfo } = await this.kv.status();
    const deadline = Date.now() + CATCH_UP_MS;
    while (this.#revision < streamInfo.state.last_seq && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, CATCH_UP_STEP_MS));
    if (this.#revision < streamInfo.state.last_seq) await this.#list();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop?.();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#check()
        .catch((error: unknown) =>
          this.#options.log.debug("A bucket could not be checked; the last view stays", {
            bucket: this.#options.name,
            error,
          }),
        )
        .finally(() => this.#schedule());
    }, CHECK_EVERY_MS);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    // Of before the question: while many write, the watch brings entries that are newer than the answer, before the answer.
    const revision = this.#revision;
    const { streamInfo } = await this.kv.status();
    const madeAnew = String(streamInfo.created) !== this.#created || streamInfo.state.last_seq < revision;
    if (!madeAnew && Date.now() - this.#listedAt < LIST_AGAIN_MS) return;
    if (madeAnew) this.#options.log.warn("A bucket was made anew; it is read again", { bucket: this.#options.name });
    await this.#list();
  }

  async #list(): Promise<void> {
    this.#stop?.();
    this.#kv = await this.#options.open();
    const { streamInfo } = await this.#kv.status();
    this.#created = String(streamInfo.created);
    this.#listedAt = Date.now();
    const last = streamInfo.state.last_seq;
    this.#revision = 0;
    const entries = await this.#kv.watch({ ignoreDeletes: false });
    this.#stop = () => entries.stop();
    this.#options.onReset();
    await new Promise<void>((resolve, reject) => {
      // An empty bucket sends no entry to tell the end by.
      if (streamInfo.state.messages === 0) resolve();
      this.#follow(entries, last, resolve).then(resolve, reject);
    });
    // The newest message may be gone again, and then no entry brings its number.
    this.#revision = Math.max(this.#revision, last);
    this.#options.onListed?.();
    this.isLoaded = true;
  }

  async #follow(entries: AsyncIterable<KvWatchEntry>, last: number, onCaughtUp: () => void): Promise<void> {
    for await (const entry of entries) {
      this.#take(entry);
      if (entry.revision >= last || entry.delta === 0) onCaughtUp();
    }
  }

  #take(entry: KvEntry): void {
    this.#revision = Math.max(this.#revision, entry.revision);
    this.#options.onChange(entry.key, entry.operation === "PUT" ? entry.string() : undefined);
  }
}
