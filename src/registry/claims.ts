import type { KV } from "@nats-io/kv";

import { isWrongRevision } from "../nats/cause-of.ts";
import type { Claim } from "./records.ts";
import { readClaim } from "./records.ts";

/** A claim whose app did not become visible for so long belongs to an installation that died half-way. */
const STALE_MS = 60_000;

export type ClaimResult =
  | { readonly kind: "claimed"; readonly undo: () => Promise<void> }
  | { readonly kind: "taken"; readonly by: Claim };

/**
 * Claims a name by creating its key, so that of two installations at once one wins.
 *
 * A claim of our own is kept; a stale one of an app that `isInstalled` does not know is taken over.
 */
export async function claim(
  kv: KV,
  key: string,
  wanted: Claim,
  isInstalled: (app: string) => boolean,
): Promise<ClaimResult> {
  const value = JSON.stringify(wanted);
  try {
    const revision = await kv.create(key, value);
    return { kind: "claimed", undo: () => kv.delete(key, { previousSeq: revision }) };
  } catch (error) {
    if (!isWrongRevision(error)) throw error;
  }
  const entry = await kv.get(key);
  const holder = entry === null ? undefined : readClaim(entry.string());
  if (entry === null) return claim(kv, key, wanted, isInstalled);
  if (holder !== undefined && holder.app === wanted.app && holder.eventName === wanted.eventName)
    return { kind: "claimed", undo: async () => undefined };
  if (holder !== undefined && (isInstalled(holder.app) || wanted.claimedAt - holder.claimedAt < STALE_MS))
    return { kind: "taken", by: holder };
  const revision = await kv.update(key, value, entry.revision);
  return { kind: "claimed", undo: () => kv.delete(key, { previousSeq: revision }) };
}
