import type { HookId } from "../model/hook-id.ts";
import type { Admission } from "../receive/admission.ts";
import type { Lookup } from "../receive/smtp/recipient.ts";
import type { Log } from "../telemetry/log.ts";
import type { Storage } from "./storage.ts";

/**
 * Looks up a hook that the view does not have, for every door alike: one made a moment ago on another replica is read
 * through before anybody hears 550 or 404. Guesses are bounded (contract §3). Never throws.
 */
export async function lookUpUnknown(
  key: { readonly hookId: HookId } | { readonly alias: string },
  remoteAddress: string,
  parts: { readonly storage: Pick<Storage, "snapshot" | "nats">; readonly admission: Admission; readonly log: Log },
): Promise<Lookup> {
  const { storage, admission, log } = parts;
  const { snapshot, nats } = storage;
  if (!snapshot.isLoaded) return { kind: "tryLater", cause: "registry-not-loaded" };
  const now = Date.now();
  if (!admission.tryGuess(remoteAddress, now)) return { kind: "tryLater", cause: "rate-limited" };
  if (snapshot.isKnownUnknown("hookId" in key ? key.hookId : key.alias, now)) return { kind: "unknown" };
  if (!nats.isConnected()) return { kind: "tryLater", cause: "nats-away" };
  try {
    const hook = await snapshot.readThrough(key, now);
    return hook === undefined ? { kind: "unknown" } : { kind: "hook", hook };
  } catch (error) {
    log.warn("A hook could not be looked up; the sender tries again", { error });
    return { kind: "tryLater", cause: "nats-away" };
  }
}
