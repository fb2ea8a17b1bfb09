import { unreachable } from "../lib/unreachable.ts";
import { matchesGlob } from "../lib/glob.ts";
import { POSTHORN } from "../model/app-name.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { Envelope, JsonText, MailSummary } from "../model/mail.ts";
import type { RefusedCause } from "../model/outcome.ts";
import type { PayloadChoice } from "../extract/payload.ts";

/** What shall happen with one mail for one hook. There is no default: every path decides. */
export type Decision =
  | { readonly kind: "publish"; readonly payload: JsonText }
  | { readonly kind: "dead-letter"; readonly reason: DeadLetterReason }
  /** Refused towards the relay; `reason` is what it is dead-lettered with when another recipient was stored. */
  | { readonly kind: "refuse"; readonly cause: RefusedCause; readonly reason: DeadLetterReason };

export interface DecideInput {
  readonly hook: Hook;
  readonly envelope: Envelope;
  readonly summary: MailSummary;
  readonly choice: PayloadChoice;
}

const NULL_PAYLOAD = "null" as JsonText;

/** Decides over one mail that was read, for one hook. Pure. The order is: who may send, what it is, what it holds. */
export function decide(input: DecideInput): Decision {
  const { hook, summary, envelope, choice } = input;
  if (hook.app === POSTHORN)
    return deadLetter("system", "Mail to the postmaster of our domain; set an alias to give it a hook");
  const { options } = hook;
  if (options.senders !== undefined && !isAllowedSender(summary, options.senders)) {
    return deadLetter(
      "sender-not-allowed",
      `From is ${fromInWords(summary)}; allowed are ${options.senders.join(", ")}`,
    );
  }
  if (options.automatic === "dead-letter" && isAutomatic(summary, envelope)) {
    return deadLetter(
      "automatic",
      `Auto-Submitted is ${summary.autoSubmitted ?? "not set"}, the envelope sender is ${envelope.from === "" ? "empty" : "set"}`,
    );
  }
  switch (choice.kind) {
    case "payload":
      return { kind: "publish", payload: choice.value };
    case "schema-failed":
      return deadLetter("schema-failed", choice.detail);
    case "nothing":
      return nothingFound(hook, choice);
    default:
      return unreachable(choice);
  }
}

function nothingFound(hook: Hook, choice: PayloadChoice & { kind: "nothing" }): Decision {
  const reason: DeadLetterReason = { code: choice.code, detail: choice.detail };
  // Only mail with nothing to extract is what `empty` speaks of; damaged JSON and a wrong key are kept for a person to see.
  if (choice.code !== "nothing-extracted") return { kind: "dead-letter", reason };
  switch (hook.options.empty) {
    case "dead-letter":
      return { kind: "dead-letter", reason };
    case "publish":
      return { kind: "publish", payload: NULL_PAYLOAD };
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

function isAllowedSender(summary: MailSummary, senders: readonly string[]): boolean {
  // A policy that depends on From needs exactly one: with two, each reader would believe another one (RFC 7489 §6.6.1).
  const [from, ...others] = summary.from;
  return from !== undefined && others.length === 0 && senders.some((glob) => matchesGlob(from.address, glob));
}

const fromInWords = (summary: MailSummary) =>
  summary.from.length === 0 ? "missing" : summary.from.map(({ address }) => address).join(", ");

function deadLetter(code: DeadLetterReason["code"], detail: string): Decision {
  return { kind: "dead-letter", reason: { code, detail } };
}
