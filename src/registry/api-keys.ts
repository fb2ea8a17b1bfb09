import { hash, randomBytes, timingSafeEqual } from "node:crypto";

import { toBase32 } from "../lib/base32.ts";
import { Tasks } from "../lib/tasks.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";
import { LiveBucket } from "./live-bucket.ts";
import type { OpenBucket } from "./read-bucket.ts";

/** An API key as the bucket keeps it: the SHA-256 of the secret, never the secret. */
export interface ApiKey {
  readonly keyId: string;
  readonly app: string;
  /** The hooks it opens; undefined means every hook of the app. */
  readonly eventNames?: readonly string[];
  readonly secretSha256: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339, `null` for never. */
  readonly expires: string | null;
}

/** A key as lists show it. */
interface ListedKey extends ApiKey {
  /** RFC 3339, to the hour or so; `null` when it never opened anything. */
  readonly lastUsed: string | null;
}

export type KeyCheck =
  | { readonly kind: "ok"; readonly app: string; readonly eventNames?: readonly string[]; readonly keyId: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "expired" };

const SHAPE = /^phk_([0-9a-z]{8,32})_([0-9a-z]{20,80})$/;
/** Beside the key's own record, so that noting a use never meets a change of the key. */
const USED = "used.";
const USE_EVERY_MS = 60 * 60_000;
const NO_SECRET = Buffer.alloc(32);

/** The API keys as this replica sees them now; a revoked one is gone here within a second. */
export class KeyStore {
  readonly #bucket: LiveBucket;
  readonly #keys = new Map<string, ApiKey>();
  readonly #used = new Map<string, string>();
  readonly #tasks: Tasks;

  constructor(open: () => Promise<OpenBucket>, log: Log, isWatched = true) {
    this.#bucket = new LiveBucket({
      name: "posthorn_keys",
      open,
      isWatched,
      onChange: (key, value) => {
        if (key.startsWith(USED)) return this.#takeUse(key.slice(USED.length), value);
        const read = value === undefined ? undefined : readKey(value);
        if (read === undefined) this.#keys.delete(key);
        else this.#keys.set(key, read);
      },
      onReset: () => {
        this.#keys.clear();
        this.#used.clear();
      },
      log,
    });
    this.#tasks = new Tasks((name, error) => log.debug("Something in the background failed", { name, error }));
  }

  start(): Promise<void> {
    return this.#bucket.start();
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  /** Makes a key; `key` is shown once and never again. */
  async create(
    wish: { readonly app: string; readonly eventNames?: readonly string[]; readonly expires: Date | null },
    now: number,
  ): Promise<{ keyId: string; key: string; app: string; expires: string | null }> {
    const keyId = toBase32(randomBytes(10));
    const secret = toBase32(randomBytes(32));
    const expires = wish.expires?.toISOString() ?? null;
    const record: ApiKey = {
      keyId,
      app: wish.app,
      ...(wish.eventNames && { eventNames: wish.eventNames }),
      secretSha256: sha256(secret).toString("hex"),
      createdAt: new Date(now).toISOString(),
      expires,
    };
    await this.#bucket.kv.create(keyId, JSON.stringify(record));
    await this.#bucket.catchUp();
    return { keyId, key: `phk_${keyId}_${secret}`, app: wish.app, expires };
  }

  list(): ListedKey[] {
    return [...this.#keys.values()]
      .map((key) => ({ ...key, lastUsed: this.#used.get(key.keyId) ?? null }))
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** Remembers that a key opened something: one write an hour for each key, and nobody waits for it. */
  noteUse(keyId: string, now: number): void {
    const before = this.#used.get(keyId);
    if (before !== undefined && now - Date.parse(before) < USE_EVERY_MS) return;
    const at = new Date(now).toISOString();
    this.#used.set(keyId, at);
    this.#tasks.run("note the use of a key", () => this.#bucket.kv.put(`${USED}${keyId}`, at));
  }

  async revoke(keyId: string): Promise<void> {
    const entry = await this.#bucket.kv.get(keyId);
    if (entry === null || entry.operation !== "PUT")
      throw new OperatorError(`no key ${keyId}`, "see `posthorn keys list`");
    await this.#bucket.kv.purge(keyId);
    await this.#bucket.kv.purge(`${USED}${keyId}`);
    await this.#bucket.catchUp();
  }

  /** Revokes every key of an app, so that no later app of that name inherits them. */
  async revokeAllOf(app: string): Promise<void> {
    await this.#bucket.catchUp();
    for (const { keyId } of this.list().filter((key) => key.app === app)) await this.revoke(keyId);
  }

  /** Whether `check` answers without asking the server: a guess at a key costs no look-up then. */
  isKnown(presented: string): boolean {
    const keyId = SHAPE.exec(presented)?.[1];
    return keyId === undefined || this.#keys.has(keyId);
  }

  /** Whom a presented key belongs to. Constant time for keys that exist; a key made a moment ago elsewhere is read through. */
  async check(presented: string, now: number): Promise<KeyCheck> {
    const [, keyId = "", secret = ""] = SHAPE.exec(presented) ?? [];
    const known = this.#keys.get(keyId) ?? (keyId === "" ? undefined : await this.#readThrough(keyId));
    const expected = known === undefined ? NO_SECRET : Buffer.from(known.secretSha256, "hex");
    const same = expected.length === NO_SECRET.length && timingSafeEqual(sha256(secret), expected);
    if (known === undefined || !same) return { kind: "unknown" };
    if (known.expires !== null && Date.parse(known.expires) <= now) return { kind: "expired" };
    return { kind: "ok", app: known.app, keyId, ...(known.eventNames && { eventNames: known.eventNames }) };
  }

  #takeUse(keyId: string, value: string | undefined): void {
    if (value === undefined || Number.isNaN(Date.parse(value))) this.#used.delete(keyId);
    else this.#used.set(keyId, value);
  }

  async #readThrough(keyId: string): Promise<ApiKey | undefined> {
    const entry = await this.#bucket.kv.get(keyId);
    return entry === null || entry.operation !== "PUT" ? undefined : readKey(entry.string());
  }
}

function sha256(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

function readKey(text: string): ApiKey | undefined {
  try {
    const value = JSON.parse(text) as Partial<ApiKey>;
    return typeof value.keyId === "string" && typeof value.app === "string" && typeof value.secretSha256 === "string"
      ? (value as ApiKey)
      : undefined;
  } catch {
    // Not written by us: a key that cannot be read opens nothing.
    return undefined;
  }
}
