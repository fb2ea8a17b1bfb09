import type { Actor, AdminHook, HookServices } from "../admin/services.ts";
import type { Settings } from "../config/settings.ts";
import type { HookId } from "../model/hook-id.ts";
import type { Hook } from "../model/hook.ts";
import { STREAMS } from "../nats/stream-names.ts";
import { countsSince } from "../publish/read-stream.ts";
import { hookRow } from "../registry/hook-row.ts";
import { definitionIn, previewInstall } from "./admin-apps.ts";
import { addressesOf } from "./public-settings.ts";
import type { Storage } from "./storage.ts";

/** Notes a change in the audit log. */
export type NoteChange = (by: Actor, action: string, target: string, detail?: string) => Promise<void>;

export interface AdminHookParts {
  readonly storage: Storage;
  readonly settings: Settings;
  readonly noteChange: NoteChange;
  /** `host:port` of the SMTP door. */
  readonly smtpAddress: () => string | undefined;
}

const HOURS = 24;
const HOUR_MS = 60 * 60_000;

/** Apps and hooks, as the admin page sees and changes them. */
export function adminHooks({ storage, settings, noteChange, smtpAddress }: AdminHookParts): HookServices {
  const { snapshot, registry, jsm } = storage;
  const where = addressesOf(settings);
  const shown = (hook: Hook): AdminHook => ({ ...hookRow(hook, where), options: hook.options });
  return {
    apps: () => snapshot.apps(),
    hooks: () => snapshot.hooks().map(shown),
    hook: (eventName) => {
      const hook = snapshot.hookByEventName(eventName);
      return hook === undefined ? undefined : shown(hook);
    },
    isHookId: (text) => snapshot.hookById(text as HookId) !== undefined,
    previewInstall: (text) => previewInstall(storage, text),
    installApp: async (text, by) => {
      const { app, hooks, warnings } = await registry.install(definitionIn(storage, text));
      await noteChange(by, "app.install", app.app, `version ${app.version}, ${hooks.length} hooks`);
      return { app: app.app, hooks: hooks.length, warnings };
    },
    uninstallApp: async (app, by) => {
      await registry.uninstall(app);
      await noteChange(by, "app.uninstall", app);
    },
    createHook: async (wish, by) => {
      const hook = await registry.createHook(wish);
      await noteChange(by, "hook.create", hook.eventName, hook.type);
      return shown(hook);
    },
    rotateHook: async (eventName, by) => {
      const hook = await registry.rotate(eventName);
      await noteChange(by, "hook.rotate", eventName);
      return shown(hook);
    },
    setHookState: async (eventName, state, by) => {
      const hook = await registry.setState(eventName, state);
      await noteChange(by, "hook.state", eventName, state);
      return shown(hook);
    },
    addAlias: async (eventName, address, by) => {
      const hook = await registry.addAlias(eventName, address, settings.mailDomain);
      await noteChange(by, "hook.alias", eventName, `add ${address}`);
      return shown(hook);
    },
    removeAlias: async (eventName, address, by) => {
      const hook = await registry.removeAlias(eventName, address);
      await noteChange(by, "hook.alias", eventName, `remove ${address}`);
      return shown(hook);
    },
    doors: () => ({ smtp: smtpAddress() }),
    lastEvents: async (eventNames) => {
      const found = await Promise.all(
        eventNames.map(async (eventName): Promise<[string, string | undefined]> => {
          const last = await jsm.streams.getMessage(STREAMS.events, { last_by_subj: eventName });
          return [eventName, last?.time.toISOString()];
        }),
      );
      return new Map(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
    },
    hourlyCounts: async (eventName) => {
      const now = Date.now();
      const since = Array.from({ length: HOURS }, (_, index) => new Date(now - (HOURS - index) * HOUR_MS));
      const counts = await countsSince(jsm, STREAMS.events, [eventName], since);
      return counts.map((count, index) => Math.max(0, count - (counts[index + 1] ?? 0)));
    },
  };
}
