import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import { LiveBucket } from "./live-bucket.ts";
import type { OpenBucket } from "./read-bucket.ts";

/** A secret in its box: AES-256-GCM, each part base64. */
interface Sealed {
  readonly iv: string;
  readonly tag: string;
  readonly text: string;
  /** RFC 3339. */
  readonly setAt: string;
}

/** What the bucket keeps for one event name. */
interface SecretRecord {
  readonly current?: Sealed;
  /** The one that the sender will use next: during a rotation both count. */
  readonly next?: Sealed;
}

/** A secret as lists show it: never its text. */
export interface SecretRow {
  readonly eventName: string;
  readonly setAt: string | null;
  readonly nextSetAt: string | null;
}

const MAX_SECRET_BYTES = 8 * 1024;
const KEY_ID_CHARACTERS = 16;

/**
 * The signing secrets of hooks as this replica sees them now (contract §6), encrypted under `POSTHORN_SECRETS_KEY`.
 *
 * The event name is bound into each box, so that a box moved to another key of the bucket opens nothing.
 */
export class SecretStore {
  readonly #bucket: LiveBucket;
  readonly #key: Buffer | undefined;
  readonly #records = new Map<string, SecretRecord>();

  /** `key` as its setting has it: 32 bytes in hex or base64; undefined when none is set. */
  constructor(open: () => Promise<OpenBucket>, key: string | undefined, log: Log, isWatched = true) {
    this.#key = key === undefined ? undefined : Buffer.from(key, /^[0-9a-f]{64}$/i.test(key) ? "hex" : "base64");
    this.#bucket = new LiveBucket({
      name: "posthorn_secrets",
      open,
      isWatched,
      onChange: (name, value) => {
        const record = value === undefined ? undefined : readRecord(value);
        if (record === undefined) this.#records.delete(name);
        else this.#records.set(name, record);
      },
      onReset: () => this.#records.clear(),
      log,
    });
  }

  /** Whether there is a key to keep secrets under. */
  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  start(): Promise<void> {
    return this.#bucket.start();
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  /** Tells the key from another one; null when there is none. A hash of 32 random bytes says nothing of them. */
  get keyId(): string | null {
    if (this.#key === undefined) return null;
    return hash("sha256", Buffer.concat([Buffer.from("posthorn secrets key "), this.#key])).slice(0, KEY_ID_CHARACTERS);
  }

  /** Whether an event name has a secret, and, where there is a key, whether that opens it. */
  stateOf(eventName: string): "set" | "missing" | "locked" {
    if (!this.#records.has(eventName)) return "missing";
    return this.#key === undefined || this.secretsOf(eventName).length > 0 ? "set" : "locked";
  }

  /** The secrets that count now for an event name; none when none is set, or when the key does not open them. */
  secretsOf(eventName: string): readonly string[] {
    const { current, next } = this.#records.get(eventName) ?? {};
    return [current, next].flatMap((sealed) => (sealed && this.#open(eventName, sealed)) ?? []);
  }

  list(): SecretRow[] {
    return [...this.#records]
      .map(([eventName, { current, next }]) => ({
        eventName,
        setAt: current?.setAt ?? null,
        nextSetAt: next?.setAt ?? null,
      }))
      .sort((a, b) => (a.eventName < b.eventName ? -1 : 1));
  }

  /** Sets the only secret of an event name, or, with `isNext`, a second one beside it. Throws `OperatorError`. */
  async set(
    eventName: string,
    secret: string,
    options: { readonly isNext: boolean; readonly now: number },
  ): Promise<void> {
    if (secret === "" || Buffer.byteLength(secret) > MAX_SECRET_BYTES)
      throw new OperatorError("the secret is empty or longer than 8 KiB", "give it on stdin", { exitCode: 2 });
    const entry = await this.#bucket.kv.get(eventName);
    const before = entry === null || entry.operation !== "PUT" ? undefined : readRecord(entry.string());
    const sealed = this.#seal(eventName, secret, options.now);
    if (options.isNext && before?.current === undefined)
      throw new OperatorError(`${eventName} has no secret yet`, "set the first one without --next");
    const record: SecretRecord = options.isNext ? { ...before, next: sealed } : { current: sealed };
    // Of two changes at once one fails, and its command says so, instead of undoing the other in silence.
    await this.#bucket.kv.put(eventName, JSON.stringify(record), { previousSeq: entry?.revision ?? 0 });
  }

  /** Throws `OperatorError` when there is none. */
  async remove(eventName: string): Promise<void> {
    const entry = await this.#bucket.kv.get(eventName);
    if (entry === null || entry.operation !== "PUT")
      throw new OperatorError(`${eventName} has no secret`, "see `posthorn secrets list`");
    await this.#bucket.kv.purge(eventName);
  }

  #seal(eventName: string, secret: string, now: number): Sealed {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#needKey(), iv).setAAD(Buffer.from(eventName));
    const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]).toString("base64");
    const [ivText, tag] = [iv.toString("base64"), cipher.getAuthTag().toString("base64")];
    return { iv: ivText, tag, text, setAt: new Date(now).toISOString() };
  }

  #open(eventName: string, { iv, tag, text }: Sealed): string | undefined {
    if (this.#key === undefined) return undefined;
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(iv, "base64"), { authTagLength: 16 })
        .setAAD(Buffer.from(eventName))
        .setAuthTag(Buffer.from(tag, "base64"));
      return decipher.update(text, "base64", "utf8") + decipher.final("utf8");
    } catch {
      // Sealed under another key, or tampered with: it opens nothing, and the hook says that its setting is wrong.
      return undefined;
    }
  }

  #needKey(): Buffer {
    if (this.#key === undefined)
      throw new OperatorError("POSTHORN_SECRETS_KEY is not set", "make one with `openssl rand -base64 32`", {
        exitCode: 78,
      });
    return this.#key;
  }
}

function readRecord(text: string): SecretRecord | undefined {
  try {
    const value = JSON.parse(text) as SecretRecord | null;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // Not written by us: a secret that cannot be read opens nothing.
    return undefined;
  }
}
