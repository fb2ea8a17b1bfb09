import { randomBytes } from "node:crypto";

import type { KV } from "@nats-io/kv";

import { ADHOC } from "../model/app-name.ts";
import type { EventName } from "../model/event-name.ts";
import { parseEventName } from "../model/event-name.ts";
import { hookIdOf, parseHookId } from "../model/hook-id.ts";
import type { App, Hook, HookState, HookType } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { SubjectsResult } from "../nats/event-subjects.ts";
import type { AppDefinition, HookDefinition } from "./app-definition.ts";
import { claim } from "./claims.ts";
import { defaultOptions } from "./default-options.ts";
import type { Claim } from "./records.ts";
import { keys, readApp, readHook } from "./records.ts";
import { variableConflicts } from "./secret-rules.ts";
import type { RegistrySnapshot } from "./snapshot.ts";

export interface RegistryServices {
  /** Adds the names outside `kustomer.app.` to the event stream. */
  addSubjects(names: readonly string[]): Promise<SubjectsResult>;
  removeSubjects(names: readonly string[]): Promise<SubjectsResult>;
  /** Revokes the API keys of an app that is gone. */
  revokeKeysOf(app: string): Promise<void>;
  now(): number;
}

/** What an installation did. */
export interface InstallReport {
  readonly app: App;
  readonly hooks: readonly Hook[];
  readonly warnings: readonly string[];
}

/**
 * Changes to the registry: apps, hooks, aliases. The view catches up before every change and after it, so that one change
 * sees the other; each fails whole when something is in the way, and `OperatorError` says what.
 */
export class Registry {
  readonly #snapshot: RegistrySnapshot;
  readonly #services: RegistryServices;

  constructor(snapshot: RegistrySnapshot, services: RegistryServices) {
    this.#snapshot = snapshot;
    this.#services = services;
  }

  /** Installs or upgrades an app: nothing is stored when a name belongs to somebody else. Ids are kept on upgrade. */
  async install(definition: AppDefinition): Promise<InstallReport> {
    await this.#snapshot.catchUp();
    const before = await this.#app(definition.app);
    this.#checkVariables(definition);
    const old = new Map((await this.#hooksOf(before?.value)).map((hook) => [hook.eventName, hook]));
    await this.#extendSubjects(definition.hooks.map(({ eventName }) => eventName));
    const undo = await this.#claimAll(definition);
    try {
      const warnings: string[] = [];
      const hooks = definition.hooks.map((hook) => this.#hookOf(definition, hook, old.get(hook.eventName), warnings));
      for (const hook of hooks) await this.#kv.put(keys.hook(hook.hookId), JSON.stringify(hook));
      const app: App = {
        app: definition.app,
        version: definition.version,
        title: definition.title,
        eventNames: hooks.map(({ eventName }) => eventName),
        installedAt: new Date(this.#services.now()).toISOString(),
      };
      await this.#writeApp(app, before?.revision);
      const kept = new Set(hooks.map(({ hookId }) => hookId));
      await this.#removeHooks(
        [...old.values()].filter(({ hookId }) => !kept.has(hookId)),
        new Set(app.eventNames),
      );
      await this.#snapshot.catchUp();
      return { app, hooks, warnings };
    } catch (error) {
      await Promise.allSettled(undo.map((one) => one()));
      throw error;
    }
  }

  /** Takes an app, its hooks and its API keys away. Their ids are gone for good; stored events stay. */
  async uninstall(app: string): Promise<void> {
    await this.#snapshot.catchUp();
    const before = await this.#app(app);
    if (before === undefined) throw new OperatorError(`no app ${app} is installed`, "see `posthorn apps list`");
    const hooks = await this.#hooksOf(before.value);
    // The app's key makes its hooks visible: without it they are gone at once.
    await this.#kv.delete(keys.app(app), { previousSeq: before.revision });
    await this.#services.revokeKeysOf(app);
    await this.#removeHooks(hooks, new Set());
    await this.#snapshot.catchUp();
  }

  /** Makes a hook without an app definition, in the app `adhoc`. */
  async createHook(wish: {
    readonly type: HookType;
    readonly name: string;
    readonly eventName?: string;
  }): Promise<Hook> {
    const slug = slugOf(wish.name);
    if (wish.eventName === undefined && slug === "")
      throw new OperatorError(
        `the name ${JSON.stringify(wish.name)} gives no event name`,
        "name the event with --event",
      );
    const eventName = parseEventName(wish.eventName ?? `kustomer.app.${ADHOC}.${slug}`);
    if (eventName === undefined)
      throw new OperatorError(
        `${JSON.stringify(wish.eventName ?? slug)} is no event name`,
        "use letters, digits, _ and - in tokens joined by dots; choose one with --event",
      );
    await this.#snapshot.catchUp();
    const before = await this.#app(ADHOC);
    if (before?.value.eventNames.includes(eventName) === true)
      throw new OperatorError(`the event name ${eventName} is taken`, "choose another with --event");
    const others = (await this.#hooksOf(before?.value)).map(definitionOf);
    const definition: HookDefinition = {
      eventName,
      displayEventName: wish.name,
      description: "",
      type: wish.type,
      options: defaultOptions(undefined),
    };
    const report = await this.install({
      app: ADHOC,
      version: "",
      title: "Hooks without an app",
      hooks: [...others, definition],
    });
    const made = report.hooks.find((hook) => hook.eventName === eventName);
    if (made === undefined) throw new Error("a hook that was installed is not in the report");
    return made;
  }

  /** A new id; the old address or URL stops working at once. */
  async rotate(eventName: string): Promise<Hook> {
    const old = await this.#hook(eventName);
    const hook: Hook = { ...old, hookId: newHookId() };
    await this.#kv.put(keys.hook(hook.hookId), JSON.stringify(hook));
    await this.#kv.purge(keys.hook(old.hookId));
    await this.#snapshot.catchUp();
    return hook;
  }

  async setState(eventName: string, state: HookState): Promise<Hook> {
    return this.#update(eventName, (hook) => ({ ...hook, state }));
  }

  /** Gives an email hook a second address in one of our domains; unique, and never shaped like a hook id. */
  async addAlias(eventName: string, address: string, mailDomains: readonly string[]): Promise<Hook> {
    const lower = address.toLowerCase();
    const [localPart = "", domain = "", ...rest] = lower.split("@");
    if (localPart === "" || rest.length > 0 || !mailDomains.includes(domain))
      throw new OperatorError(
        `${address} is no address in ${mailDomains.join(", ")}`,
        "use one of our mail domains (POSTHORN_MAIL_DOMAIN)",
      );
    if (parseHookId(localPart) !== undefined)
      throw new OperatorError(`${address} is shaped like a hook's own address`, "choose another local part");
    if (!/^[a-z0-9.!#$%&'*/=?^_`{|}~-]{1,64}$/.test(localPart))
      throw new OperatorError(`${address} cannot be an alias`, "use a plain local part without +");
    const hook = await this.#hook(eventName);
    if (hook.type !== "email")
      throw new OperatorError(`${eventName} is a ${hook.type} hook`, "only email hooks have addresses");
    const result = await claim(
      this.#kv,
      keys.alias(lower),
      this.#claimOf(hook.app, eventName),
      (app) => this.#snapshot.app(app) !== undefined,
    );
    if (result.kind === "taken")
      throw new OperatorError(`${address} belongs to ${result.by.eventName}`, "choose another address");
    return this.#update(eventName, (current) => ({ ...current, aliases: [...new Set([...current.aliases, lower])] }));
  }

  async removeAlias(eventName: string, address: string): Promise<Hook> {
    const lower = address.toLowerCase();
    const hook = await this.#update(eventName, (current) => ({
      ...current,
      aliases: current.aliases.filter((alias) => alias !== lower),
    }));
    await this.#kv.purge(keys.alias(lower));
    await this.#snapshot.catchUp();
    return hook;
  }

  get #kv(): KV {
    return this.#snapshot.kv;
  }

  #claimOf(app: string, eventName: string): Claim {
    return { app, eventName, claimedAt: this.#services.now() };
  }

  async #extendSubjects(names: readonly string[]): Promise<void> {
    const result = await this.#services.addSubjects(names);
    if (result.kind === "too-many")
      throw new OperatorError(
        `more than ${result.limit} event names outside kustomer.app`,
        "begin event names with kustomer.app.<app>.",
      );
    if (result.kind === "foreign-stream")
      throw new OperatorError(
        `another stream already takes ${result.names.join(", ")}`,
        "choose other event names, or delete that stream",
      );
  }

  #checkVariables(definition: AppDefinition): void {
    const installed = { apps: this.#snapshot.apps().map(({ app }) => app), hooks: this.#snapshot.hooks() };
    const conflicts = variableConflicts(definition, installed).map(([pointer, message]) => `${pointer} ${message}`);
    if (conflicts.length > 0)
      throw new OperatorError(
        `nothing was installed: ${conflicts.join("; ")}`,
        "a variable belongs to the app with the longest name that it begins with",
      );
  }

  async #claimAll(definition: AppDefinition): Promise<(() => Promise<void>)[]> {
    const undo: (() => Promise<void>)[] = [];
    const taken: Claim[] = [];
    for (const { eventName } of definition.hooks) {
      const result = await claim(
        this.#kv,
        keys.name(eventName),
        this.#claimOf(definition.app, eventName),
        (app) => this.#snapshot.app(app) !== undefined,
      );
      if (result.kind === "claimed") undo.push(result.undo);
      else taken.push({ ...result.by, eventName });
    }
    if (taken.length === 0) return undo;
    await Promise.allSettled(undo.map((one) => one()));
    const names = taken.map(({ eventName, app }) => `${eventName} belongs to the app ${app}`).join("; ");
    throw new OperatorError(`nothing was installed: ${names}`, "choose other event names, or uninstall that app");
  }

  #hookOf(definition: AppDefinition, hook: HookDefinition, old: Hook | undefined, warnings: string[]): Hook {
    const sameType = old?.type === hook.type;
    if (old !== undefined && !sameType)
      warnings.push(`${hook.eventName} changed from ${old.type} to ${hook.type} and has a new address`);
    return {
      hookId: old !== undefined && sameType ? old.hookId : newHookId(),
      app: definition.app,
      appVersion: definition.version,
      eventName: hook.eventName,
      displayEventName: hook.displayEventName,
      description: hook.description,
      type: hook.type,
      state: old?.state ?? "enabled",
      aliases: sameType ? (old?.aliases ?? []) : [],
      options: hook.options,
    };
  }

  /** Hooks of the app that are gone or got a new id. Names that live on in another hook stay claimed. */
  async #removeHooks(hooks: readonly Hook[], staying: ReadonlySet<EventName>): Promise<void> {
    for (const hook of hooks) {
      await this.#kv.purge(keys.hook(hook.hookId));
      if (staying.has(hook.eventName)) continue;
      for (const alias of hook.aliases) await this.#kv.purge(keys.alias(alias));
      await this.#kv.purge(keys.name(hook.eventName));
    }
    const gone = hooks.filter(({ eventName }) => !staying.has(eventName)).map(({ eventName }) => eventName);
    if (gone.length > 0) await this.#services.removeSubjects(gone);
  }

  async #writeApp(app: App, revision: number | undefined): Promise<void> {
    const value = JSON.stringify(app);
    if (revision === undefined) await this.#kv.create(keys.app(app.app), value);
    else await this.#kv.update(keys.app(app.app), value, revision);
  }

  async #app(name: string): Promise<{ value: App; revision: number } | undefined> {
    const entry = await this.#kv.get(keys.app(name));
    const value = entry === null || entry.operation !== "PUT" ? undefined : readApp(entry.string());
    return entry === null || value === undefined ? undefined : { value, revision: entry.revision };
  }

  async #hooksOf(app: App | undefined): Promise<Hook[]> {
    if (app === undefined) return [];
    const found: Hook[] = [];
    for (const eventName of app.eventNames) {
      const hook = this.#snapshot.hookByEventName(eventName);
      if (hook !== undefined) found.push(hook);
    }
    return found;
  }

  async #hook(eventName: string): Promise<Hook> {
    await this.#snapshot.catchUp();
    const hook = this.#snapshot.hookByEventName(eventName);
    if (hook === undefined) throw new OperatorError(`no hook publishes ${eventName}`, "see `posthorn hooks list`");
    return hook;
  }

  async #update(eventName: string, change: (hook: Hook) => Hook): Promise<Hook> {
    const { hookId } = await this.#hook(eventName);
    const entry = await this.#kv.get(keys.hook(hookId));
    const current = entry === null ? undefined : readHook(entry.string());
    if (entry === null || current === undefined)
      throw new OperatorError(`no hook publishes ${eventName}`, "see `posthorn hooks list`");
    const changed = change(current);
    await this.#kv.update(keys.hook(hookId), JSON.stringify(changed), entry.revision);
    await this.#snapshot.catchUp();
    return changed;
  }
}

function newHookId(): Hook["hookId"] {
  return hookIdOf(randomBytes(16));
}

/** `[a-z0-9]+` joined by `-`, after taking accents off (contract §2). */
function slugOf(name: string): string {
  return (
    name
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join("-")
      .slice(0, 64) ?? ""
  );
}

function definitionOf(hook: Hook): HookDefinition {
  const { eventName, displayEventName, description, type, options } = hook;
  return { eventName, displayEventName, description, type, options };
}
