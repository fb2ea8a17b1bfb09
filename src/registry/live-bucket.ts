import type { KV, KvEntry, KvWatchEntry } from "@nats-io/kv";

import type { Log } from "../telemetry/log.ts";

export interface LiveBucketOptions {
  readonly name: string;
  /** Opens the bucket; asked again when it was deleted and made anew. */
  readonly open: () => Promise<KV>;
  /** Called for every value that is there or comes, `undefined` for one that goes. */
  readonly onChange: (key: string, value: string | undefined) => void;
  /** Called before everything is told anew, because the bucket is another one or lost entries without a word. */
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
 * everything is listed again every minute (nats.js 3.4.0); of that only what changed is told. While nothing can be read the
 * last view stays, and while the list comes in too.
 */
export class LiveBucket {
  readonly #options: LiveBucketOptions;
  #kv: KV | undefined;
  #stop: (() => void) | undefined;
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
    if (this.#revision < streamInfo.state.last_seq) await this.listAgain();
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
    await this.listAgain();
  }

  /**
   * Reads everything again, and tells what changed; everything when the bucket is another one, or when `mustForget`. Throws
   * what the client throws.
   */
  async listAgain(mustForget = false): Promise<void> {
    const revision = this.#revision;
    this.#stop?.();
    this.#kv = await this.#options.open();
    const { streamInfo } = await this.#kv.status();
    const { last_seq: last, messages } = streamInfo.state;
    const isAnew = mustForget || String(streamInfo.created) !== this.#created || last < revision;
    const entries = await this.#kv.watch({ ignoreDeletes: false });
    this.#stop = () => entries.stop();
    this.#created = String(streamInfo.created);
    this.#listedAt = Date.now();
    if (isAnew) {
      this.#revision = 0;
      this.#told.clear();
      this.#options.onReset();
    }
    const seen = new Set<string>();
    await new Promise<void>((resolve, reject) => {
      // An empty bucket sends no entry to tell the end by.
      if (messages === 0) resolve();
      this.#follow(entries, seen, last, resolve).then(resolve, reject);
    });
    // The newest message may be gone again, and then no entry brings its number.
    this.#revision = Math.max(this.#revision, last);
    if (isAnew) {
      this.#options.onListed?.();
      this.isLoaded = true;
    } else if (this.#hasLost(seen)) await this.listAgain(true);
  }

  /** A key ends with a marker. Without one somebody purged the stream, or it aged away: nothing known is certain then. */
  #hasLost(seen: ReadonlySet<string>): boolean {
    for (const [key, revision] of this.#told) if (revision > 0 && !seen.has(key)) return true;
    return false;
  }

  async #follow(
    entries: AsyncIterable<KvWatchEntry>,
    seen: Set<string>,
    last: number,
    onCaughtUp: () => void,
  ): Promise<void> {
    for await (const entry of entries) {
      seen.add(entry.key);
      this.#take(entry);
      if (entry.revision >= last || entry.delta === 0) onCaughtUp();
    }
  }

  #take(entry: KvEntry): void {
    const { key, revision } = entry;
    this.#revision = Math.max(this.#revision, revision);
    if (Math.abs(this.#told.get(key) ?? 0) >= revision) return;
    const isThere = entry.operation === "PUT";
    this.#told.set(key, isThere ? revision : -revision);
    this.#options.onChange(key, isThere ? entry.string() : undefined);
  }
}
