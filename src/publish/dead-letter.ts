import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { EventId } from "../model/outcome.ts";
import type { Publish } from "./publish.ts";
import type { PublishOutcome } from "./publish-event.ts";

/** The stream that holds what became no event, with the reason (contract §6). */
export const DEAD_LETTER_STREAM = "POSTHORN_DEAD_LETTERS";

export const deadLetterSubject = (app: string, eventName: string) => `posthorn.dead.${app}.${eventName}`;

/** Publishes one dead letter on `posthorn.dead.<app>.<eventName>`, and says what became of it. Never throws. */
export async function publishDeadLetter(
  letter: {
    readonly eventId: EventId;
    readonly app: string;
    readonly eventName: string;
    readonly reason: DeadLetterReason;
    readonly bytes: Uint8Array;
  },
  publish: Publish,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const publication = {
    stream: DEAD_LETTER_STREAM,
    subject: deadLetterSubject(letter.app, letter.eventName),
    messageId: letter.eventId,
    bytes: letter.bytes,
    contentType: "application/json",
  };
  const result = await publish(publication, signal);
  if (result.kind === "tryLater")
    return { outcome: { kind: "tryLater", cause: result.cause, error: result.error }, ambiguous: result.ambiguous };
  return {
    outcome: { kind: "deadLettered", eventId: letter.eventId, reason: letter.reason },
    ambiguous: false,
    sequence: result.sequence,
  };
}
