import type { JetStreamClient } from "@nats-io/jetstream";

/** Who changed what: one entry of the audit log (contract §6). */
export interface AuditEntry {
  /** RFC 3339. */
  readonly time: string;
  /** Who: the name of a sign-in, or `user@machine` of a command. */
  readonly actor: string;
  readonly via: "page" | "api" | "cli";
  /** `<what>.<verb>`, such as `hook.rotate`; the subject's end. */
  readonly action: string;
  /** What it was done to: an event name, an app, a key's id. Never a secret. */
  readonly target: string;
  readonly detail?: string;
}

const AUDIT_STREAM = "POSTHORN_AUDIT";

/** Writes one entry; resolves when the stream has acknowledged it, throws what the client throws. */
export async function writeAudit(js: JetStreamClient, entry: AuditEntry): Promise<void> {
  await js.publish(`posthorn.audit.${entry.action}`, JSON.stringify(entry), {
    expect: { streamName: AUDIT_STREAM },
  });
}
