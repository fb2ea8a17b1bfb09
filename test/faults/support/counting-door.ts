import { BlockList } from "node:net";

import { TRANSACTION_LIMITS } from "../../../src/engine/budgets.ts";
import type { EventName } from "../../../src/model/event-name.ts";
import { hookIdOf } from "../../../src/model/hook-id.ts";
import type { Hook } from "../../../src/model/hook.ts";
import type { EventId } from "../../../src/model/outcome.ts";
import { Admission } from "../../../src/receive/admission.ts";
import { ClientLimits } from "../../../src/receive/client-limits.ts";
import { MailDoor } from "../../../src/receive/smtp/door.ts";
import { defaultOptions } from "../../../src/registry/default-options.ts";
import type { Log } from "../../../src/telemetry/log.ts";

const HOOK_ID = hookIdOf(new Uint8Array(16).fill(7));
export const ADDRESS = `${HOOK_ID}@hooks.example`;
const HOOK: Hook = {
  hookId: HOOK_ID,
  app: "shop" as Hook["app"],
  appVersion: "1",
  eventName: "kustomer.app.shop.order" as EventName,
  displayEventName: "Order",
  description: "",
  type: "email",
  state: "enabled",
  aliases: [],
  options: defaultOptions(undefined),
};

/** A mail door whose deliveries are kept here, by the id that its reply names; limits are out of the way. */
export function openCountingDoor(options: {
  readonly lmtp: boolean;
  readonly log: Log;
  readonly trustedRelays?: BlockList;
}): { readonly door: MailDoor; readonly delivered: Map<string, string> } {
  const delivered = new Map<string, string>();
  const door = new MailDoor(
    {
      lmtp: options.lmtp,
      name: "hooks.example",
      transactionLimits: TRANSACTION_LIMITS,
      maxMessageBytes: 100_000,
      idleTimeoutMs: 120_000,
      transactionTimeoutMs: 120_000,
      softBounce: false,
      tls: undefined,
      implicitTls: false,
      trustedRelays: options.trustedRelays ?? new BlockList(),
      proxyRequired: false,
      allowedClients: undefined,
      maxPending: 1_000,
    },
    {
      isOurDomain: (domain) => domain === "hooks.example",
      hookById: async (hookId) => (hookId === HOOK_ID ? { kind: "hook", hook: HOOK } : { kind: "unknown" }),
      hookByAlias: async () => ({ kind: "unknown" }),
      withinRate: () => true,
      deliver: async (mail) => {
        const eventId = String(delivered.size + 1).padStart(26, "0") as EventId;
        delivered.set(eventId, Buffer.from(mail.bytes).toString("latin1"));
        await new Promise((resolve) => setImmediate(resolve));
        return {
          whole: { kind: "taken" },
          each: mail.recipients.map(() => ({ kind: "stored", eventId, duplicate: false })),
        };
      },
      onUnheard: () => undefined,
      whyNotNow: () => undefined,
      login: async () => ({ kind: "wrong" }),
      hasRoom: () => true,
      onRefusal: () => undefined,
      admission: new Admission({ maxConnections: 1_000, maxBytesInFlight: 100_000_000 }),
      limits: new ClientLimits({
        connections: 1_000,
        mailsPerMinute: 1_000_000_000,
        bytesPerMinute: 1_000_000_000_000,
        unknownPerMinute: 1_000_000_000,
        processes: 1,
      }),
      log: options.log,
    },
  );
  return { door, delivered };
}
