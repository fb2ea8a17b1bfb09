import { createHash } from "node:crypto";

import type { ObjectStore } from "@nats-io/obj";

import type { Branded } from "../model/branded.ts";

/** The bucket of raw mails, attachments, form files and the data of big events (contract §6). */
export const OBJECT_BUCKET = "posthorn_objects";

/** `<day>/<sha256>`: ASCII, never sent by anybody, the same for the same bytes on the same day. */
export type ObjectName = Branded<string, "ObjectName">;

/**
 * The name that `bytes` are stored under.
 *
 * By content, so that a retry writes nothing new; by day, so that an object is never about to expire (TTL 30 d) when a
 * new event begins to name it.
 */
export function objectNameOf(sha256Hex: string, receivedAt: number): ObjectName {
  return `${new Date(receivedAt).toISOString().slice(0, 10)}/${sha256Hex}` as ObjectName;
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Stores `bytes` under `name` unless they stand there already; returns when the Object Store has acknowledged them.
 *
 * The entry that makes an object visible is written last, so an object that can be seen is whole. Throws what the
 * client throws; the caller must not publish the event then.
 */
export async function putObject(
  store: ObjectStore,
  name: ObjectName,
  bytes: Uint8Array,
  timeoutMs: number,
): Promise<void> {
  const known = await store.info(name);
  if (known !== null && !known.deleted && known.size === bytes.length) return;
  await store.putBlob({ name }, bytes, { timeout: timeoutMs });
}

/** The bytes of an object, `undefined` when it expired or never was. */
export async function getObject(store: ObjectStore, name: string): Promise<Uint8Array | undefined> {
  return (await store.getBlob(name)) ?? undefined;
}
