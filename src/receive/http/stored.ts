import type { RequestOutcome } from "../../model/outcome.ts";
import type { Call } from "./call.ts";
import { send } from "./call.ts";
import type { HttpDoorServices } from "./services.ts";

/** The outcomes that are answered 2xx. */
export type StoredOutcome = Extract<RequestOutcome, { readonly kind: "stored" | "storedBatch" | "deadLettered" }>;

export function isStored(outcome: RequestOutcome): outcome is StoredOutcome {
  return outcome.kind !== "tryLater" && outcome.kind !== "refused";
}

/** Tells `onUnheard` when nobody is there any more to hear that it was stored. */
export function noteUnheard(call: Call, outcome: StoredOutcome, onUnheard: HttpDoorServices["onUnheard"]): void {
  if (!call.response.destroyed) return;
  onUnheard(outcome.kind === "storedBatch" ? outcome.events.map(({ eventId }) => eventId) : [outcome.eventId]);
}

/** `202 {"id","eventName","duplicate"}`, for scripts. A dead letter looks the same: whoever filled a trap learns nothing. */
export function sendStored(call: Call, outcome: StoredOutcome): void {
  const eventName = call.hook?.eventName ?? "";
  // Ids and event names are made of letters, digits, dots and the like: nothing in them needs escaping.
  const eventJson = (id: string, duplicate: boolean) =>
    `{"id":"${id}","eventName":"${eventName}","duplicate":${duplicate}}`;
  const body =
    outcome.kind === "storedBatch"
      ? `{"events":[${outcome.events.map(({ eventId, duplicate }) => eventJson(eventId, duplicate)).join(",")}]}`
      : eventJson(outcome.eventId, outcome.kind === "stored" && outcome.duplicate);
  send(call, 202, { "content-type": "application/json" }, body);
}
