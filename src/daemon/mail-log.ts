import type { MailFacts } from "../engine/job.ts";
import { hookIdCutter } from "../model/cut-hook-ids.ts";
import type { ReceivedMail } from "../model/mail.ts";
import type { Outcome } from "../model/outcome.ts";
import type { MailRefusal } from "../receive/smtp/door.ts";
import type { Log } from "../telemetry/log.ts";

/**
 * One line per mail with its outcome, in the order of its recipients, and with everything by which it is found in other
 * logs: Message-ID, sender, the relay's queue id, the trace of its events.
 */
export function logMail(
  mail: ReceivedMail,
  outcomes: readonly Outcome[],
  { messageId, tookMs, traceId }: MailFacts & { readonly tookMs: number; readonly traceId: string },
  log: Log,
): void {
  const isKept = outcomes.some(({ kind }) => kind === "tryLater");
  const cut = hookIdCutter(mail.recipients.map(({ hook }) => hook.hookId));
  const fields = {
    transactionId: mail.transactionId,
    ...(mail.queueId !== undefined && { queueId: mail.queueId }),
    traceId,
    remoteAddress: mail.envelope.remoteAddress,
    from: cut(mail.envelope.from),
    messageId: messageId === null ? null : cut(messageId, "message-id"),
    bytes: mail.bytes.length,
    tookMs: Math.round(tookMs * 10) / 10,
    outcomes: outcomes.map((outcome, index) => ({
      hook: mail.recipients[index]?.hook.eventName,
      outcome: outcome.kind,
      ...("eventId" in outcome && { eventId: outcome.eventId }),
      ...(outcome.kind !== "stored" && { cause: causeInWords(outcome) }),
      ...(outcome.kind === "tryLater" && outcome.error !== undefined && { error: errorInWords(outcome.error) }),
    })),
  };
  if (isKept) log.warn("Mail not taken; the relay keeps it", fields);
  else log.info("Mail", fields);
}

/** "" for what was stored. */
export function causeInWords(outcome: Outcome): string {
  if (outcome.kind === "deadLettered") return outcome.reason.code;
  return outcome.kind === "stored" ? "" : outcome.cause;
}

/** Whether the mail that a refusal answers has its own line: what comes in whole, and is not turned away for its size or a loop. */
export function hasOwnLine({ isOfMail, reply: { cause } }: MailRefusal): boolean {
  return isOfMail && cause !== "too-large" && cause !== "mail-loop";
}

const errorInWords = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
