import type { BuiltEvent, OutsizedEvent } from "../event/build-event.ts";
import type { MailStages, StoredObject } from "./deliver-mail.ts";

/** An event that can be published: where its data does not fit, the data is stored first and the event refers to it. */
export async function withStoredData(
  event: BuiltEvent | OutsizedEvent,
  { storeObject }: Pick<MailStages, "storeObject">,
  receivedAt: number,
  signal: AbortSignal,
): Promise<BuiltEvent | (StoredObject & { readonly kind: "tryLater" })> {
  if (!("data" in event)) return event;
  const stored = await storeObject(Buffer.from(event.data), receivedAt, signal);
  return stored.kind === "tryLater" ? stored : event.referringTo(stored.name);
}
