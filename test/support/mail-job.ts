import type { MailJob } from "../../src/engine/job.ts";
import type { Hook } from "../../src/model/hook.ts";
import type { HookOptions } from "../../src/model/hook-options.ts";
import { defaultOptions } from "../../src/registry/default-options.ts";

/** A mail whose only part is JSON. */
export const jsonMail = (text: string): Buffer =>
  Buffer.from(`From: a@shop.example\r\nContent-Type: application/json\r\n\r\n${text}\r\n`);

/** A mail for one hook, whole, as the pipeline gives it to the engine. */
export function jobOf(
  bytes: Uint8Array,
  {
    tags = [null],
    options = {},
  }: { readonly tags?: readonly (string | null)[]; readonly options?: Partial<HookOptions> } = {},
): MailJob {
  const hook = {
    hookId: "0123456789abcdefghjkmnpqrs",
    app: "shop",
    appVersion: "1.0.0",
    eventName: "kustomer.app.shop.order",
    displayEventName: "Order",
    description: "",
    type: "email",
    state: "enabled",
    aliases: [],
    options: { ...defaultOptions(undefined), ...options },
  } as unknown as Hook;
  return {
    bytes,
    envelope: { from: "a@shop.example", remoteAddress: "127.0.0.1", helo: "shop", protocol: "ESMTP", tls: null },
    peer: "stranger",
    receivedAt: 0,
    repliesEach: false,
    archivesAll: false,
    maxEventBytes: 256 * 1024,
    deliveries: tags.map((tag) => ({
      hook,
      keyValue: undefined,
      schemaSha256: undefined,
      tag,
      addresses: ["0123456789abcdefghjkmnpqrs@localhost"],
      traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00",
    })),
  };
}
