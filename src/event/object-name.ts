import type { Branded } from "../model/branded.ts";

/** `<day>/<message>/<sha256>`, raw mail of dead letters `<day>/<message>/dead-<sha256>`: ASCII, never sent by anybody. */
export type ObjectName = Branded<string, "ObjectName">;

/**
 * The name that bytes of one message are stored under.
 *
 * Below the message, so that removing it harms no other message (contract §6); by content, so that a retry writes nothing
 * new; by day, so that an object is never about to expire when a new event begins to name it.
 */
export function objectNameOf(messageKey: string, sha256Hex: string, receivedAt: number): ObjectName {
  return `${new Date(receivedAt).toISOString().slice(0, 10)}/${messageKey}/${sha256Hex}` as ObjectName;
}

/**
 * The name of the raw mail that the dead letters of one message name. No event ever does: nobody has to look through all of
 * them before a dead letter is discarded with its raw mail.
 */
export function deadLetterObjectNameOf(messageKey: string, sha256Hex: string, receivedAt: number): ObjectName {
  return objectNameOf(messageKey, `dead-${sha256Hex}`, receivedAt);
}
