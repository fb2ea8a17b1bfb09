import { parseEventName } from "../model/event-name.ts";
import { parseHookId } from "../model/hook-id.ts";
import type { App, Hook } from "../model/hook.ts";

/** Keys of the registry bucket. KV keys refuse `@`, `+` and `:`, so an alias is written in base64url. */
export const keys = {
  hook: (hookId: string) => `hook.${hookId}`,
  app: (app: string) => `app.${app}`,
  name: (eventName: string) => `name.${eventName}`,
  daemonSettings: "daemon.settings",
  alias: (address: string) => `alias.${Buffer.from(address.toLowerCase()).toString("base64url")}`,
};

/** Who holds an event name or an alias. */
export interface Claim {
  readonly app: string;
  readonly eventName: string;
  /** Milliseconds since the epoch; a claim whose app never became visible is stale after a while. */
  readonly claimedAt: number;
}

/** What came back from the bucket, checked: whoever may write there is an administrator, but nobody writes without faults. */
export function readHook(text: string): Hook | undefined {
  const hook = readObject(text) as Partial<Hook> | undefined;
  const right =
    hook !== undefined &&
    typeof hook.hookId === "string" &&
    parseHookId(hook.hookId) === hook.hookId &&
    typeof hook.eventName === "string" &&
    parseEventName(hook.eventName) !== undefined &&
    typeof hook.app === "string" &&
    (hook.type === "web" || hook.type === "form" || hook.type === "email") &&
    (hook.state === "enabled" || hook.state === "disabled" || hook.state === "paused") &&
    Array.isArray(hook.aliases) &&
    typeof hook.options === "object";
  return right ? (hook as Hook) : undefined;
}

export function readApp(text: string): App | undefined {
  const app = readObject(text) as Partial<App> | undefined;
  return app !== undefined && typeof app.app === "string" && Array.isArray(app.eventNames) ? (app as App) : undefined;
}

export function readClaim(text: string): Claim | undefined {
  const claim = readObject(text) as Partial<Claim> | undefined;
  return claim !== undefined && typeof claim.app === "string" && typeof claim.eventName === "string"
    ? ({ claimedAt: 0, ...claim } as Claim)
    : undefined;
}

function readObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // Somebody wrote something else into our bucket: the caller logs it and goes on without it.
    return undefined;
  }
}
