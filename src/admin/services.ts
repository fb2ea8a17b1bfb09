import type { App, HookState, HookType } from "../model/hook.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Log } from "../telemetry/log.ts";

/** A hook as the page shows it; `address` of email hooks, `url` of the others. */
export interface AdminHook {
  readonly app: string;
  readonly eventName: string;
  readonly displayEventName: string;
  readonly description: string;
  readonly type: HookType;
  readonly state: HookState;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly address?: string;
  readonly url?: string;
  readonly options: HookOptions;
}

/** One thing that was looked at, and what it means. */
export interface AdminCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly warning?: true;
  readonly detail: string;
}

/** What the admin listener is given: all it can see and do. */
export interface AdminServices {
  readonly apps: () => readonly App[];
  readonly hooks: () => readonly AdminHook[];
  /** Everything that a running Posthorn needs, looked at now. Never throws. */
  readonly checkHealth: () => Promise<readonly AdminCheck[]>;
  /** False from the moment the daemon begins to stop. */
  readonly isServing: () => boolean;
  readonly metricsText: () => Promise<{ readonly body: string; readonly contentType: string }>;
  readonly now: () => number;
  readonly log: Log;
}
