import type { Hook } from "../model/hook.ts";

/** A hook as `hooks list --json` and the admin page show it (contract §8). */
export interface HookRow {
  readonly app: string;
  readonly eventName: string;
  readonly displayEventName: string;
  readonly description: string;
  readonly type: Hook["type"];
  readonly state: Hook["state"];
  readonly id: string;
  readonly aliases: readonly string[];
  /** Of email hooks. */
  readonly address?: string;
  /** Of form and web hooks. */
  readonly url?: string;
}

/** The row of one hook; its address is in the first of our mail domains. */
export function hookRow(
  hook: Hook,
  where: { readonly mailDomains: readonly string[]; readonly publicUrl: string },
): HookRow {
  const { app, eventName, displayEventName, description, type, state, hookId, aliases } = hook;
  const row = { app, eventName, displayEventName, description, type, state, id: hookId, aliases };
  if (type === "email")
    return {
      ...row,
      address: `${hookId}@${where.mailDomains.find((domain) => !domain.startsWith("*.")) ?? "localhost"}`,
    };
  return { ...row, url: `${where.publicUrl}/v1/hooks/${type}/${hookId}` };
}
