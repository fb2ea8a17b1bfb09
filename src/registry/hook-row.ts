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
  /** Nobody has set the domain or URL yet: from other machines nothing comes in by this address. */
  readonly addressIsDefault?: true;
}

/** Where senders reach hooks. */
export interface Addresses {
  readonly mailDomains: readonly string[];
  readonly mailDomainsAreDefault: boolean;
  readonly publicUrl: string;
  readonly publicUrlIsDefault: boolean;
}

/** The row of one hook; its address is in the first of our mail domains. */
export function hookRow(hook: Hook, where: Addresses): HookRow {
  const { app, eventName, displayEventName, description, type, state, hookId, aliases } = hook;
  const row = { app, eventName, displayEventName, description, type, state, id: hookId, aliases };
  if (type === "email")
    return {
      ...row,
      address: `${hookId}@${where.mailDomains.find((domain) => !domain.startsWith("*.")) ?? "localhost"}`,
      ...(where.mailDomainsAreDefault && { addressIsDefault: true }),
    };
  return {
    ...row,
    url: `${where.publicUrl}/v1/hooks/${type}/${hookId}`,
    ...(where.publicUrlIsDefault && { addressIsDefault: true }),
  };
}
