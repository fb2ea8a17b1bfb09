import type { CutHookIds } from "../model/cut-hook-ids.ts";
import type { Hook } from "../model/hook.ts";
import type { JsonText } from "../model/mail.ts";
import type { EventId } from "../model/outcome.ts";
import { objectOf, toCutJson, toJson } from "./json.ts";

/** One event, ready for NATS. */
export interface BuiltEvent {
  readonly eventId: EventId;
  readonly hook: Hook;
  /** As it stands in the event. */
  readonly traceparent: string;
  /** The CloudEvent in structured JSON; `data` is missing when `dataref` stands for it. */
  readonly bytes: Uint8Array;
}

/** An event whose data does not fit: there is none before its data is stored, for it names the object. */
export interface OutsizedEvent {
  readonly eventId: EventId;
  readonly data: JsonText;
  readonly referringTo: (objectName: string) => BuiltEvent;
}

/** What every event says of itself, whatever door it came through. */
export interface EventFrame {
  readonly eventId: EventId;
  readonly hook: Hook;
  /** The Subject of the mail, if any. */
  readonly subject: string | null;
  /** Of the ids of all hooks that the message was sent to. */
  readonly cut: CutHookIds;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly traceparent: string;
  /** Hex SHA-256 of the hook's schema, when one is set. */
  readonly schemaSha256?: string;
}

/** An event over this size keeps its `data` in the Object Store (contract §5). */
export const MAX_INLINE_EVENT_BYTES = 256 * 1024;

/**
 * A CloudEvent in structured JSON around `data`, which is JSON text already.
 *
 * `maxBytes` is the smaller of {@link MAX_INLINE_EVENT_BYTES} and what the server's max_payload leaves for a body; over
 * it the event carries a `dataref` instead (CloudEvents claim check), to an object in `bucket`.
 *
 * Source: CloudEvents 1.0.2 §3, JSON Event Format 1.0.2 §3, extension "Dataref (Claim Check Pattern)".
 */
export function buildEvent(
  frame: EventFrame,
  data: JsonText,
  limits: { readonly maxBytes: number; readonly bucket: string },
): BuiltEvent | OutsizedEvent {
  const { hook, eventId, traceparent } = frame;
  const whole = Buffer.from(eventJson(frame, "data", data));
  if (whole.length <= limits.maxBytes) return { eventId, hook, traceparent, bytes: whole };
  return {
    eventId,
    data,
    referringTo(objectName) {
      const dataref = toJson(`nats-object://${limits.bucket}/${objectName}`);
      return { eventId, hook, traceparent, bytes: Buffer.from(eventJson(frame, "dataref", dataref)) };
    },
  };
}

/** The CloudEvent as JSON text; its last member is `data`, or `dataref` where an object holds the data. */
export function eventJson(frame: EventFrame, last: "data" | "dataref", value: JsonText): string {
  const { hook } = frame;
  return objectOf([
    ["specversion", '"1.0"' as JsonText],
    ["id", toJson(frame.eventId)],
    ["source", toJson(`/apps/${hook.app}/hooks/${hook.eventName}`)],
    ["type", toJson(hook.eventName)],
    // An empty subject attribute is not allowed (CloudEvents 1.0.2 §3.1.2).
    ["subject", frame.subject === null || frame.subject === "" ? undefined : toCutJson(frame.subject, frame.cut)],
    ["time", toJson(new Date(frame.receivedAt).toISOString())],
    ["datacontenttype", '"application/json"' as JsonText],
    ["dataschema", frame.schemaSha256 === undefined ? undefined : toJson(`urn:posthorn:schema:${frame.schemaSha256}`)],
    ["app", toJson(hook.app)],
    ["appversion", hook.appVersion === "" ? undefined : toJson(hook.appVersion)],
    ["hooktype", toJson(hook.type)],
    ["traceparent", toJson(frame.traceparent)],
    [last, value],
  ]);
}
