import type { AppName } from "./app-name.ts";
import type { EventName } from "./event-name.ts";
import type { HookId } from "./hook-id.ts";
import type { HookOptions } from "./hook-options.ts";

export type HookType = "web" | "form" | "email";
export type HookState = "enabled" | "disabled" | "paused";

/** A hook as it stands in the registry. */
export interface Hook {
  readonly hookId: HookId;
  readonly app: AppName;
  readonly appVersion: string;
  readonly eventName: EventName;
  readonly displayEventName: string;
  readonly description: string;
  readonly type: HookType;
  readonly state: HookState;
  /** Second addresses of an email hook, lower case, set by the operator only. */
  readonly aliases: readonly string[];
  readonly options: HookOptions;
}

/** An installed app. Its key in the registry is written last: it makes the installation visible. */
export interface App {
  readonly app: AppName;
  readonly version: string;
  readonly title: string;
  readonly eventNames: readonly EventName[];
  /** RFC 3339. */
  readonly installedAt: string;
}
