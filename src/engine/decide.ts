import { unreachable } from "../lib/unreachable.ts";
import { POSTHORN } from "../model/app-name.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { Item } from "../model/item.ts";
import type { Envelope, JsonText, MailSummary } from "../model/mail.ts";
import type { RefusedCause, TryLaterCause } from "../model/outcome.ts";
import type { Authentication } from "../model/verdicts.ts";
import type { PayloadChoice } from "../extract/payload.ts";
import { confirmationInWords, forwardingConfirmationOf } from "./forwarding-confirmation.ts";
import { authorOf, demandOf, whyNotAllowed } from "./sender-policy.ts";

/** What shall happen with one mail for one hook. There is no default: every path decides. */
export type Decision =
  /** `items` are those that count for this hook: all of them, or those under its key. */
  | { readonly kind: "publish"; readonly payload: JsonText; readonly items: readonly Item[] }
  | { readonly kind: "dead-letter"; readonly reason: DeadLetterReason }
  /** Refused towards the relay; `reason` is what it is dead-lettered with when another recipient was stored. */
  | { readonly kind: "refuse"; readonly cause: RefusedCause; readonly reason: DeadLetterReason }
  | { readonly kind: "try-later"; readonly cause: TryLaterCause; readonly detail?: string };

export interface DecideInput {
  readonly hook: Hook;
  readonly envelope: Envelope;
  readonly summary: MailSummary;
  readonly authentication: Authentication;
  readonly choice: PayloadChoice;
}

const NULL_PAYLOAD = "null" as JsonText;

/** Decides over one mail that was read, for one hook. Pure. The order is: who may send, what it is, what it holds. */
export function decide(input: DecideInput): Decision {
  const { hook, summary, envelope, choice } = input;
  if (hook.app === POSTHORN)
    return deadLetter("system", "Mail to the postmaster of our domain; set an alias to give it a hook");
  const { options } = hook;
  // Before any policy: whoever sets forwarding up has to see the question, and it never comes from the hook's senders.
  const confirmation = forwardingConfirmationOf(summary, choice.kind !== "nothing");
  if (confirmation !== undefined) return deadLetter("forwarding-confirmation", confirmationInWords(confirmation));
  const author = authorOf(summary);
  const notAllowed = whyNotAllowed(author, options.senders);
  if (notAllowed !== undefined) return deadLetter("sender-not-allowed", notAllowed);
  const demand = demandOf(author, input.authentication, options.authenticate);
  if (demand.kind === "unknown") return { kind: "try-later", cause: "dns-trouble" };
  if (demand.kind === "not-met") return unproved(demand.detail, hook);
  if (options.automatic === "dead-letter" && isAutomatic(summary, envelope)) {
    const said = summary.automaticBecause ?? "No header field says so";
    return deadLetter("automatic", `${said}, the envelope sender is ${envelope.from === "" ? "empty" : "set"}`);
  }
  switch (choice.kind) {
    case "payload":
      return { kind: "publish", payload: choice.value, items: choice.items };
    case "schema-failed":
      return deadLetter("schema-failed", choice.detail);
    case "schema-unusable":
      // Whoever installed it made the mistake; the sender, who made none, keeps the mail until it is put right.
      return { kind: "try-later", cause: "setting-wrong", detail: choice.detail };
    case "nothing":
      return nothingFound(hook, choice);
    default:
      return unreachable(choice);
  }
}

function nothingFound(hook: Hook, choice: PayloadChoice & { kind: "nothing" }): Decision {
  const { code, detail, title } = choice;
  const reason: DeadLetterReason = { code, detail, ...(title !== undefined && { title }) };
  // Only mail with nothing to extract is what `empty` speaks of; damaged JSON and a wrong key are kept for a person to see.
  if (choice.code !== "nothing-extracted") return { kind: "dead-letter", reason };
  switch (hook.options.empty) {
    case "dead-letter":
      return { kind: "dead-letter", reason };
    case "publish":
      return { kind: "publish", payload: NULL_PAYLOAD, items: choice.items };
    case "reject":
      return { kind: "refuse", cause: "empty", reason };
    default:
      return unreachable(hook.options.empty);
  }
}

/** Bounces, auto-replies and list noise: what the header says (RFC 3834 §5), or the null sender (RFC 5321 §4.5.5). */
export function isAutomatic(summary: MailSummary, envelope: Envelope): boolean {
  return summary.autoSubmitted !== null || envelope.from === "";
}

function unproved(detail: string, { options }: Hook): Decision {
  const reason: DeadLetterReason = { code: "authentication-failed", detail };
  return options.authenticate.onFail === "reject"
    ? { kind: "refuse", cause: "authentication-failed", reason }
    : { kind: "dead-letter", reason };
}

function deadLetter(code: DeadLetterReason["code"], detail: string): Decision {
  return { kind: "dead-letter", reason: { code, detail } };
}
