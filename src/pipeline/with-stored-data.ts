import type { BuiltEvent, OutsizedEvent } from "../event/build-event.ts";
import type { StoredObject } from "./deliver-mail.ts";
import type { RequestStages } from "./request-stages.ts";

/** An event that can be published: where its data does not fit, the data is stored first and the event refers to it. */
export async function withStoredData(
  event: BuiltEvent | OutsizedEvent,
  { storeBytes }: Pick<RequestStages, "storeBytes">,
  receivedAt: number,
  signal: AbortSignal,
): Promise<BuiltEvent | (StoredObject & { readonly kind: "tryLater" })> {
  if (!("data" in event)) return event;
  const stored = await storeBytes(Buffer.from(event.data), { messageKey: event.eventId, receivedAt }, signal);
  return stored.kind === "tryLater" ? stored : event.referringTo(stored.name);
}
