import { toBase32 } from "../lib/base32.ts";
import type { Branded } from "./branded.ts";

/** The unguessable id of a hook: 26 characters of lower-case Crockford base32, 128 random bits (contract §2). */
export type HookId = Branded<string, "HookId">;

// 26 characters carry 130 bits: the last one holds only three, so it is one of eight.
const SHAPE = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** Reads a hook id in any case. Never throws; `undefined` when `text` is not shaped like one. */
export function parseHookId(text: string): HookId | undefined {
  const lower = text.toLowerCase();
  return SHAPE.test(lower) ? (lower as HookId) : undefined;
}

/** The hook id made of 16 random bytes, which the caller brings. */
export function hookIdOf(randomBytes: Uint8Array): HookId {
  if (randomBytes.length !== 16) throw new RangeError(`a hook id needs 16 random bytes, not ${randomBytes.length}`);
  return toBase32(randomBytes) as HookId;
}
