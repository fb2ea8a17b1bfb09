import { Latest } from "../lib/latest.ts";
import { makeRoom } from "../lib/make-room.ts";
import type { TryLaterCause } from "../model/outcome.ts";
import type { StoredWish } from "./find-stored.ts";
import type { Publication, Publish, PublishResult } from "./publish.ts";

/** What is known of a publish whose sender was told to come again (contract §5). */
type Unfinished =
  /** It was acknowledged, and the sender does not know. */
  | { readonly stream: string; readonly sequence: number }
  /** Nobody knows: if it was stored, then in the stream between the two sequences. */
  | { readonly stream: string; readonly subject: string; readonly from: number; readonly to: number };

/** As {@link Unfinished}, before the stream's last sequence is known. */
type Pending = Unfinished | { readonly stream: string; readonly subject: string; readonly from: number };

export interface UnfinishedOptions {
  /** Stores a record under an id. Throws what the client throws. */
  readonly write: (messageId: string, record: string) => Promise<void>;
  readonly lastSequence: (stream: string) => Promise<number>;
  /** As `findStored`. */
  readonly find: (wish: StoredWish) => Promise<number | undefined>;
  readonly causeOf: (error: unknown, stream: string) => Promise<TryLaterCause>;
  readonly isConnected: () => boolean;
  readonly onTrouble: (sentence: string, error: unknown) => void;
}

const MAX_REMEMBERED = 200_000;
const MAX_PENDING = 50_000;
const RECENT_ACKS = 10_000;
/** Longer than any delivery takes: an ack that is older was answered. */
const RECENT_MS = 60_000;
const PAUSE_MS = 500;
/** A publish may land behind the last sequence that we were told: looked for so much further. */
const LATE_MESSAGES = 1_000;

/**
 * Ids whose outcome was partial or unknown, so that a retry never doubles what was stored, however late it comes.
 *
 * The stream itself recognises a repeat within its duplicate window only. What was tried and not answered 250 is written
 * to a bucket in the background, and each replica reads that bucket through a watch. A retry of such an id is looked up in
 * the stream before it is published again.
 */
export class UnfinishedOutcomes {
  readonly #options: UnfinishedOptions;
  readonly #known = new Map<string, Unfinished>();
  readonly #pending = new Map<string, Pending>();
  readonly #recentAcks = new Latest<{ readonly stream: string; readonly sequence: number }>(RECENT_ACKS);
  #recentSince = performance.now();
  /** The last sequence that this process knows of, for each stream. */
  readonly #lastSequence = new Map<string, number>();
  #writing: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(options: UnfinishedOptions) {
    this.#options = options;
  }

  /** Where the stream ended when the daemon began: nothing of ours can stand before. */
  startAt(stream: string, sequence: number): void {
    this.#lastSequence.set(stream, sequence);
  }

  /** A record that this or another replica has written; what is no record is left out. */
  take(messageId: string, record: string | undefined): void {
    const read = record === undefined ? undefined : readRecord(record);
    if (read === undefined) return;
    const known = this.#known.get(messageId);
    if (known !== undefined && "sequence" in known) return;
    makeRoom(this.#known, MAX_REMEMBERED);
    this.#known.set(messageId, read);
  }

  /** The sender of what was acknowledged under this id was told to come again, or did not hear us. */
  rememberAcked(messageId: string): void {
    const ack = this.#recentAcks.get(messageId);
    if (ack !== undefined) this.#remember(messageId, ack);
  }

  /** Whether what was published to this stream under this id is known to be stored. */
  isStored(stream: string, messageId: string): boolean {
    const known = this.#known.get(messageId);
    return known !== undefined && known.stream === stream && "sequence" in known;
  }

  /** Publishing that looks up ids of unknown outcome first, and remembers those that get one. */
  wrap(publish: Publish): Publish {
    return async (publication, signal) => {
      const { stream, messageId, subject } = publication;
      const from = this.#lastSequence.get(stream) ?? 0;
      const earlier = await this.#lookUp(publication);
      const result = earlier ?? (await publish(publication, signal));
      if (result.kind === "acked") {
        if (!result.duplicate) this.#lastSequence.set(stream, result.sequence);
        this.#noteAck(messageId, { stream, sequence: result.sequence });
      } else if (result.ambiguous) this.#remember(messageId, { stream, subject, from });
      return result;
    };
  }

  /** Writes what is not written yet, for as long as `patienceMs`. */
  async close(patienceMs: number): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, patienceMs).unref());
    await Promise.race([this.#writing ?? Promise.resolve(), late]);
    this.#closed = true;
    this.#wake?.();
  }

  #noteAck(messageId: string, ack: { readonly stream: string; readonly sequence: number }): void {
    const now = performance.now();
    if (now - this.#recentSince > RECENT_MS) {
      this.#recentSince = now;
      this.#recentAcks.turn();
    }
    this.#recentAcks.set(messageId, ack);
  }

  async #lookUp({ stream, messageId }: Publication): Promise<PublishResult | undefined> {
    const record = this.#known.get(messageId);
    if (record === undefined || record.stream !== stream) return undefined;
    if ("sequence" in record) return { kind: "acked", sequence: record.sequence, duplicate: true };
    try {
      const sequence = await this.#options.find({ ...record, messageId });
      if (sequence === undefined) return undefined;
      this.#remember(messageId, { stream, sequence });
      return { kind: "acked", sequence, duplicate: true };
    } catch (error) {
      return { kind: "tryLater", cause: await this.#options.causeOf(error, stream), error, ambiguous: false };
    }
  }

  #remember(messageId: string, outcome: Pending): void {
    const known = this.#known.get(messageId);
    if (known !== undefined && "sequence" in known) return;
    const pending = this.#pending.get(messageId);
    // The first try counts: what it stored stands behind the sequence of that time.
    const earlier = "from" in outcome ? [known, pending].filter((one) => one !== undefined && "from" in one) : [];
    const froms = earlier.map((one) => (one !== undefined && "from" in one ? one.from : Infinity));
    const merged = "from" in outcome ? { ...outcome, from: Math.min(outcome.from, ...froms) } : outcome;
    // For retries on this replica before the record is written.
    makeRoom(this.#known, MAX_REMEMBERED);
    this.#known.set(messageId, "from" in merged ? { ...merged, to: Number.MAX_SAFE_INTEGER } : merged);
    makeRoom(this.#pending, MAX_PENDING);
    this.#pending.set(messageId, merged);
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  async #writeAll(): Promise<void> {
    // What is still on its way into the stream shall be in before its last sequence is asked for.
    await this.#pause();
    while (!this.#closed) {
      const [next] = this.#pending;
      if (next === undefined) return;
      const [messageId, outcome] = next;
      try {
        if (!this.#options.isConnected()) throw new Error("NATS is away");
        const record =
          "from" in outcome
            ? { ...outcome, to: (await this.#options.lastSequence(outcome.stream)) + LATE_MESSAGES }
            : outcome;
        await this.#options.write(messageId, JSON.stringify(record));
        if (this.#pending.get(messageId) === outcome) this.#pending.delete(messageId);
      } catch (error) {
        if (this.#options.isConnected())
          this.#options.onTrouble("An unfinished outcome could not be written yet", error);
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function readRecord(text: string): Unfinished | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const { stream, subject, from, to, sequence } = value ?? {};
    if (typeof stream !== "string") return undefined;
    if (typeof sequence === "number") return { stream, sequence };
    if (typeof subject !== "string" || typeof from !== "number" || typeof to !== "number") return undefined;
    return { stream, subject, from, to };
  } catch {
    return undefined; // Somebody else wrote into our bucket; the stream's own window still protects.
  }
}
