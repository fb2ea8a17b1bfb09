import { parseEventName } from "../model/event-name.ts";
import type { EventId, Outcome } from "../model/outcome.ts";
import type { Publish } from "./publish.ts";

/** The stream that holds every event (contract §6). */
export const EVENT_STREAM = "POSTHORN_EVENTS";
/** Source: CloudEvents NATS Protocol Binding 1.0.2 §3.2, structured content mode. */
const CLOUDEVENT_TYPE = "application/cloudevents+json";

/** What became of a publish; `ambiguous` when it may have been stored although nobody said so. */
export type PublishOutcome = {
  readonly outcome: Outcome;
  readonly ambiguous: boolean;
  /** Where it stands in the stream; of a duplicate, where the first one stands. */
  readonly sequence?: number;
};

/**
 * Publishes one event on the subject that is its name, and says what became of it. Never throws.
 *
 * The name is checked once more: a subject outside the grammar once let an event name run a JetStream API call.
 */
export async function publishEvent(
  event: { readonly eventId: EventId; readonly eventName: string; readonly bytes: Uint8Array },
  publish: Publish,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const subject = parseEventName(event.eventName);
  if (subject === undefined) {
    const error = new Error(`not an event name: ${JSON.stringify(event.eventName)}`);
    return { outcome: { kind: "tryLater", cause: "our-fault", error }, ambiguous: false };
  }
  const publication = {
    stream: EVENT_STREAM,
    subject,
    messageId: event.eventId,
    bytes: event.bytes,
    contentType: CLOUDEVENT_TYPE,
  };
  const result = await publish(publication, signal);
  if (result.kind === "tryLater")
    return { outcome: { kind: "tryLater", cause: result.cause, error: result.error }, ambiguous: result.ambiguous };
  return {
    outcome: { kind: "stored", eventId: event.eventId, duplicate: result.duplicate },
    ambiguous: false,
    sequence: result.sequence,
  };
}
