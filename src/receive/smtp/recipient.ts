import { POSTHORN } from "../../model/app-name.ts";
import type { EventName } from "../../model/event-name.ts";
import type { HookId } from "../../model/hook-id.ts";
import { hookIdOf, parseHookId } from "../../model/hook-id.ts";
import type { Hook } from "../../model/hook.ts";
import type { Recipient } from "../../model/mail.ts";
import type { RefusedCause, TryLaterCause } from "../../model/outcome.ts";

/** What a look-up in the registry may answer. */
export type Lookup =
  | { readonly kind: "hook"; readonly hook: Hook }
  | { readonly kind: "unknown" }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause };

export interface RecipientServices {
  /** A domain from POSTHORN_MAIL_DOMAIN, lower case. */
  isOurDomain(domain: string): boolean;
  hookById(hookId: HookId, remoteAddress: string): Promise<Lookup>;
  hookByAlias(address: string, remoteAddress: string): Promise<Lookup>;
  /** Counts a mail for the hook's rate limit; false when it is reached. */
  withinRate(hook: Hook): boolean;
}

export type RecipientAnswer =
  | { readonly kind: "accepted"; readonly recipient: Recipient }
  /** `hook` is for our own records only: the sender must not learn that there is one. */
  | { readonly kind: "refused"; readonly cause: RefusedCause; readonly hook?: Hook }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly hook?: Hook };

/** Mail to `postmaster` without an alias: it belongs to no hook and becomes a dead letter (contract §3; RFC 5321 §4.5.1). */
const POSTMASTER: Hook = {
  hookId: hookIdOf(new Uint8Array(16)),
  app: POSTHORN,
  appVersion: "",
  eventName: "postmaster" as EventName,
  displayEventName: "Postmaster",
  description: "Mail to the postmaster of our domains",
  type: "email",
  state: "enabled",
  aliases: [],
  options: {
    jsonld: "as-sent",
    empty: "dead-letter",
    automatic: "publish",
    authenticate: { require: "none", onFail: "dead-letter" },
    attachments: "store",
    include: ["text"],
    honeypot: "_gotcha",
  },
};

/**
 * Which hook the address of a RCPT leads to. The envelope decides, never a header, so Bcc and forwarded mail work.
 *
 * Unknown ids, wrong kinds and uninstalled hooks get the same answer, so that nobody learns which ids exist.
 */
export async function findRecipient(
  address: string,
  remoteAddress: string,
  services: RecipientServices,
): Promise<RecipientAnswer> {
  const at = address.lastIndexOf("@");
  const localPart = at < 0 ? address : address.slice(0, at);
  const domain = address.slice(at + 1).toLowerCase();
  const isPostmaster = localPart.toLowerCase() === "postmaster";
  if (at < 0 ? !isPostmaster : !services.isOurDomain(domain)) return { kind: "refused", cause: "not-our-domain" };

  const plus = localPart.indexOf("+");
  const base = plus < 0 ? localPart : localPart.slice(0, plus);
  const tag = plus < 0 ? null : localPart.slice(plus + 1);
  const hookId = parseHookId(base);
  const found =
    hookId === undefined
      ? await services.hookByAlias(`${base}@${domain}`.toLowerCase(), remoteAddress)
      : await services.hookById(hookId, remoteAddress);
  if (found.kind === "tryLater") return found;
  if (found.kind === "unknown")
    return isPostmaster
      ? { kind: "accepted", recipient: { address, tag, hook: POSTMASTER } }
      : { kind: "refused", cause: "no-such-hook" };
  return judge(found.hook, { address, tag, hook: found.hook }, services);
}

function judge(hook: Hook, recipient: Recipient, services: RecipientServices): RecipientAnswer {
  if (hook.type !== "email") return { kind: "refused", cause: "no-such-hook", hook };
  if (hook.state === "disabled") return { kind: "refused", cause: "hook-disabled", hook };
  if (hook.state === "paused") return { kind: "tryLater", cause: "hook-paused", hook };
  if (!services.withinRate(hook)) return { kind: "tryLater", cause: "rate-limited", hook };
  return { kind: "accepted", recipient };
}
