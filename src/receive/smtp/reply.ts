import { unreachable } from "../../lib/unreachable.ts";
import type { Outcome, RefusedCause, TryLaterCause } from "../../model/outcome.ts";
import { REFUSED, TRY_LATER } from "../answers.ts";

/** One SMTP reply: the three digits, and the text with the enhanced status code in front (RFC 2034). */
export interface Reply {
  readonly code: number;
  readonly text: string;
  /** Why, for a refusal of ours; the library's own have none. */
  readonly cause?: TryLaterCause | RefusedCause;
}

const MAX_IDS_IN_REPLY = 15;

export function replyTryLater(cause: TryLaterCause): Reply {
  return { ...replyOf(TRY_LATER[cause]), cause };
}

export function replyRefused(cause: RefusedCause): Reply {
  return { ...replyOf(REFUSED[cause]), cause };
}

/** The reply for one recipient over LMTP, or for a whole mail with one recipient. */
export function replyOutcome(outcome: Outcome): Reply {
  switch (outcome.kind) {
    case "stored":
    case "deadLettered":
      return { code: 250, text: `2.0.0 ${outcome.eventId}` };
    case "tryLater":
      return replyTryLater(outcome.cause);
    case "refused":
      return replyRefused(outcome.cause);
    default:
      return unreachable(outcome);
  }
}

/** `250` with the ids of what was stored, in RCPT order, so that a relay's log leads to the event (contract §7). */
export function replyTaken(outcomes: readonly Outcome[]): Reply {
  const ids = [...new Set(outcomes.flatMap((outcome) => ("eventId" in outcome ? [outcome.eventId] : [])))];
  const rest = ids.length - MAX_IDS_IN_REPLY;
  return { code: 250, text: `2.0.0 ${ids.slice(0, MAX_IDS_IN_REPLY).join(" ")}${rest > 0 ? ` +${rest}` : ""}` };
}

/** With POSTHORN_SOFT_BOUNCE every 5xx goes out as 4xx. */
export function softened(reply: Reply): Reply {
  return reply.code < 500 ? reply : { ...reply, code: reply.code - 100, text: reply.text.replace(/^5\./, "4.") };
}

function replyOf(row: { readonly smtp: string; readonly text: string }): Reply {
  const [code = "", enhanced = ""] = row.smtp.split(" ");
  return { code: Number(code), text: `${enhanced} ${row.text}` };
}
