import type { KV } from "@nats-io/kv";

import { makeRoom } from "../lib/make-room.ts";
import type { HookId } from "../model/hook-id.ts";
import type { App, Hook } from "../model/hook.ts";
import type { Log } from "../telemetry/log.ts";
import { LiveBucket } from "./live-bucket.ts";
import type { OpenBucket } from "./read-bucket.ts";
import type { PublishedSettings } from "./published-settings.ts";
import { readPublishedSettings } from "./published-settings.ts";
import { keys, readApp, readClaim, readHook } from "./records.ts";

const NEGATIVE_MS = 5_000;
const MAX_NEGATIVES = 50_000;

/**
 * The registry as this replica sees it now: every look-up is a Map's.
 *
 * A hook is visible when its app's key is: that key is written last, so an installation appears as a whole.
 */
export class RegistrySnapshot {
  readonly #bucket: LiveBucket;
  readonly #log: Log;
  readonly #hooks = new Map<string, Hook>();
  readonly #byName = new Map<string, Hook>();
  readonly #byAlias = new Map<string, Hook>();
  readonly #apps = new Map<string, App>();
  /** The event names of each app: every RCPT and every request asks for one, and an app may have thousands. */
  readonly #namesOf = new Map<string, ReadonlySet<string>>();
  readonly #unknown = new Map<string, number>();
  #published: PublishedSettings | undefined;
  #appsBeforeReset = 0;
  /** Apps are gone that nobody uninstalled: the bucket was made anew, and no sender may be told that its hook never was. */
  #wasEmptied = false;

  constructor(open: () => Promise<OpenBucket>, log: Log, isWatched = true) {
    this.#log = log;
    this.#bucket = new LiveBucket({
      name: "posthorn_registry",
      open,
      isWatched,
      onChange: (key, value) => this.#change(key, value),
      onReset: () => this.#reset(),
      onListed: () => this.#listed(),
      log,
    });
  }

  start(): Promise<void> {
    return this.#bucket.start();
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  /** Resolves when every change that was made before the call is seen here, other replicas' too. */
  catchUp(): Promise<void> {
    return this.#bucket.catchUp();
  }

  /** Whether an address that is not here is nobody's. False too after the bucket was made anew without its apps. */
  get isLoaded(): boolean {
    return this.#bucket.isLoaded && !this.#wasEmptied;
  }

  get kv(): KV {
    return this.#bucket.kv;
  }

  /** What the daemon that started last wrote of its settings. */
  get published(): PublishedSettings | undefined {
    return this.#published;
  }

  hookById(hookId: HookId): Hook | undefined {
    return this.#visible(this.#hooks.get(hookId));
  }

  hookByAlias(address: string): Hook | undefined {
    return this.#visible(this.#byAlias.get(address.toLowerCase()));
  }

  hookByEventName(eventName: string): Hook | undefined {
    return this.#visible(this.#byName.get(eventName));
  }

  /** Every visible hook, by app and then by name. */
  hooks(): Hook[] {
    return [...this.#hooks.values()]
      .filter((hook) => this.#visible(hook) !== undefined)
      .sort((a, b) => compare(a.app, b.app) || compare(a.eventName, b.eventName));
  }

  apps(): App[] {
    return [...this.#apps.values()].sort((a, b) => compare(a.app, b.app));
  }

  app(name: string): App | undefined {
    return this.#apps.get(name);
  }

  /** Whether `key` was looked up in vain a moment ago. */
  isKnownUnknown(key: string, now: number): boolean {
    return (this.#unknown.get(key) ?? 0) > now;
  }

  /**
   * Asks the server itself for a hook that the view does not have: it may have been made a moment ago by another replica.
   * Throws what the client throws.
   */
  async readThrough(
    key: { readonly hookId: HookId } | { readonly alias: string },
    now: number,
  ): Promise<Hook | undefined> {
    const cacheKey = "hookId" in key ? key.hookId : key.alias;
    if (this.isKnownUnknown(cacheKey, now)) return undefined;
    const hook = "hookId" in key ? await this.#read(key.hookId) : await this.#readAlias(key.alias);
    if (hook === undefined) this.#rememberUnknown(cacheKey, now);
    return hook;
  }

  async #read(hookId: string): Promise<Hook | undefined> {
    const entry = await this.kv.get(keys.hook(hookId));
    const hook = entry === null || entry.operation !== "PUT" ? undefined : readHook(entry.string());
    if (hook === undefined) return undefined;
    const app = await this.kv.get(keys.app(hook.app));
    return app === null || app.operation !== "PUT" ? undefined : hook;
  }

  async #readAlias(address: string): Promise<Hook | undefined> {
    const entry = await this.kv.get(keys.alias(address));
    const claim = entry === null || entry.operation !== "PUT" ? undefined : readClaim(entry.string());
    return claim === undefined ? undefined : this.hookByEventName(claim.eventName);
  }

  #rememberUnknown(key: string, now: number): void {
    makeRoom(this.#unknown, MAX_NEGATIVES);
    this.#unknown.set(key, now + NEGATIVE_MS);
  }

  #visible(hook: Hook | undefined): Hook | undefined {
    return hook !== undefined && this.#namesOf.get(hook.app)?.has(hook.eventName) === true ? hook : undefined;
  }

  #listed(): void {
    if (this.#appsBeforeReset === 0 || this.#apps.size > 0) return;
    this.#wasEmptied = true;
    this.#log.error("The registry is empty, and nobody uninstalled its apps: senders wait until an app is installed", {
      apps: this.#appsBeforeReset,
    });
  }

  #reset(): void {
    this.#appsBeforeReset = this.#apps.size;
    const maps = [this.#hooks, this.#byName, this.#byAlias, this.#apps, this.#namesOf, this.#unknown];
    for (const map of maps) map.clear();
    this.#published = undefined;
  }

  #change(key: string, value: string | undefined): void {
    const dot = key.indexOf(".");
    const [kind, name] = [key.slice(0, dot), key.slice(dot + 1)];
    if (key === keys.daemonSettings) this.#published = value === undefined ? undefined : readPublishedSettings(value);
    else if (kind === "hook") this.#changeHook(name, value);
    else if (kind === "app") {
      // Installed, or taken away in front of our eyes: the registry is what somebody wants it to be.
      this.#wasEmptied = false;
      this.#appsBeforeReset = 0;
      const app = value === undefined ? undefined : readApp(value);
      if (app === undefined) {
        this.#apps.delete(name);
        this.#namesOf.delete(name);
      } else {
        this.#apps.set(name, app);
        this.#namesOf.set(name, new Set(app.eventNames));
      }
      if (value !== undefined && app === undefined)
        this.#log.error("An app in the registry cannot be read and is left out", { key });
    }
  }

  #changeHook(hookId: string, value: string | undefined): void {
    const before = this.#hooks.get(hookId);
    if (before !== undefined) {
      this.#hooks.delete(hookId);
      if (this.#byName.get(before.eventName)?.hookId === hookId) this.#byName.delete(before.eventName);
      for (const alias of before.aliases) if (this.#byAlias.get(alias)?.hookId === hookId) this.#byAlias.delete(alias);
    }
    if (value === undefined) return;
    const hook = readHook(value);
    if (hook === undefined)
      return this.#log.error("A hook in the registry cannot be read and is left out", {
        key: `hook.${hookId.slice(0, 4)}…`,
      });
    this.#hooks.set(hookId, hook);
    this.#byName.set(hook.eventName, hook);
    this.#unknown.delete(hookId);
    for (const alias of hook.aliases) {
      this.#byAlias.set(alias, hook);
      this.#unknown.delete(alias);
    }
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
