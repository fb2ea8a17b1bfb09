import type { SendAnswer } from "../admin/services.ts";
import type { Engine } from "../engine/engine.ts";
import { unreachable } from "../lib/unreachable.ts";
import type { Hook } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import type { MailStages } from "../pipeline/deliver-mail.ts";
import { deliverMail } from "../pipeline/deliver-mail.ts";
import type { Storage } from "./storage.ts";

export interface SendParts {
  readonly storage: Storage;
  readonly stages: MailStages;
  readonly engine: Engine;
  /** `host:port` of our own HTTP door, once it is open. */
  readonly httpAddress: () => string | undefined;
}

const SEND_MS = 20_000;
const KEY_LIFE_MS = 60_000;

/** Sends to a hook for real: a mail down the path of mails, anything else through our own HTTP door. */
export async function sendToHook(
  parts: SendParts,
  eventName: string,
  { mail, bytes }: { readonly mail: Uint8Array; readonly bytes: Uint8Array },
): Promise<SendAnswer> {
  const hook = parts.storage.snapshot.hookByEventName(eventName);
  if (hook === undefined)
    throw new OperatorError(
      eventName === "" ? "no hook was named" : `no hook publishes ${eventName}`,
      "name one in “Options of the hook”",
    );
  if (hook.state !== "enabled") return { kind: "refused", detail: `the hook is ${hook.state}` };
  return hook.type === "email" ? sendMail(parts.stages, hook, mail) : sendRequest(parts, hook, bytes);
}

async function sendMail(stages: MailStages, hook: Hook, bytes: Uint8Array): Promise<SendAnswer> {
  const { outcomes } = await deliverMail(
    {
      // Not the null sender: that would be a bounce.
      envelope: {
        from: "test@localhost",
        remoteAddress: "127.0.0.1",
        helo: "test-bench",
        protocol: "ESMTP",
        tls: null,
      },
      recipients: [{ address: `${hook.hookId}@test-bench`, tag: null, hook }],
      bytes,
      receivedAt: Date.now(),
      peer: "stranger",
      transactionId: "test bench",
    },
    stages,
    AbortSignal.timeout(SEND_MS),
  );
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error("a mail to one hook has no outcome");
  switch (outcome.kind) {
    case "stored":
    case "deadLettered":
      return { kind: outcome.kind, detail: outcome.eventId };
    case "tryLater":
    case "refused":
      return { kind: outcome.kind, detail: outcome.cause };
    default:
      return unreachable(outcome);
  }
}

async function sendRequest({ storage, httpAddress }: SendParts, hook: Hook, bytes: Uint8Array): Promise<SendAnswer> {
  const address = httpAddress();
  if (address === undefined || address.startsWith("unix:"))
    throw new OperatorError("the HTTP port is off, or a Unix socket", "set POSTHORN_HTTP_LISTEN to host:port");
  const key = hook.type === "web" ? await storage.keys.create(wishFor(hook), Date.now()) : undefined;
  try {
    const response = await fetch(`http://${address}/v1/hooks/${hook.type}/${hook.hookId}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(key !== undefined && { authorization: `Bearer ${key.key}` }),
      },
      body: new Uint8Array(bytes),
      signal: AbortSignal.timeout(SEND_MS),
    });
    const text = await response.text();
    if (response.status === 202) return { kind: "stored", detail: (JSON.parse(text) as { id: string }).id };
    return { kind: response.status >= 500 ? "tryLater" : "refused", detail: `${response.status} ${text}` };
  } finally {
    if (key !== undefined) await storage.keys.revoke(key.keyId);
  }
}

/** A key for this one call. */
const wishFor = (hook: Hook) => ({
  app: hook.app,
  eventNames: [hook.eventName],
  expires: new Date(Date.now() + KEY_LIFE_MS),
});
