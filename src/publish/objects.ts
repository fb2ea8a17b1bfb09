import type { ObjectStore, ObjectStoreMeta } from "@nats-io/obj";
import { setSha256Backend } from "@nats-io/obj";

import { askAgain } from "../nats/ask-again.ts";

// The client's own hash is written in JavaScript (3.4.0): a tenth of a second of this thread for 25 MB.
setSha256Backend("native");

/** The bucket of raw mails, attachments, form files and the data of big events (contract §6). */
export const OBJECT_BUCKET = "posthorn_objects";

/** What an object shall hold. */
export interface ObjectContent {
  readonly size: number;
  /** Asked for when the object is written, one after the other as the server takes them. */
  readonly pieces: () => Iterable<Uint8Array>;
}

export interface PutOptions {
  /** For each chunk, in milliseconds. */
  readonly timeoutMs: number;
  /** What the server takes in one message, as it says now. */
  readonly maxPayload: number;
}

/** The client's own size of a chunk, where the server takes one. */
const CHUNK_BYTES = 128 * 1024;
/** Headers and protocol of a chunk. */
const CHUNK_OVERHEAD_BYTES = 1024;

function metaOf(name: string, maxPayload: number): ObjectStoreMeta {
  return { name, options: { max_chunk_size: Math.min(CHUNK_BYTES, maxPayload - CHUNK_OVERHEAD_BYTES) } };
}

/**
 * Stores `content` under `name` unless it stands there already; returns when the Object Store has acknowledged it.
 *
 * The entry that makes an object visible is written last, so an object that can be seen is whole. Throws what the
 * client throws; the caller must not publish the event then.
 */
export async function putObject(
  store: ObjectStore,
  name: string,
  content: ObjectContent,
  { timeoutMs, maxPayload }: PutOptions,
): Promise<void> {
  const known = await store.info(name);
  if (known !== null && !known.deleted && known.size === content.size) return;
  await store.put(metaOf(name, maxPayload), ReadableStream.from(content.pieces()), { timeout: timeoutMs });
}

/** A name for bytes that are stored while they arrive, before anybody knows their hash; `random` is base32 of the caller's. */
export function streamedObjectName(random: string, receivedAt: number): string {
  return `${new Date(receivedAt).toISOString().slice(0, 10)}/upload-${random}`;
}

/**
 * Stores bytes as they come, in chunks that are acknowledged one by one, so that memory stays flat. An upload that breaks off
 * leaves nothing. Throws what the client, or the stream, throws.
 */
export async function putStream(
  store: ObjectStore,
  name: string,
  stream: ReadableStream<Uint8Array>,
  { timeoutMs, maxPayload }: PutOptions,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const { size, digest } = await store.put(metaOf(name, maxPayload), stream, { timeout: timeoutMs });
  return { size, sha256: Buffer.from(digest.replace(/^SHA-256=/, ""), "base64url").toString("hex") };
}

/** Takes an object away again, when nothing names it. */
export async function removeObject(store: ObjectStore, name: string): Promise<void> {
  await store.delete(name);
}

/** The bytes of an object, `undefined` when it expired or never was. */
export async function getObject(store: ObjectStore, name: string): Promise<Uint8Array | undefined> {
  const found = await askAgain(
    () => store.get(name),
    (late) => late?.data.cancel().catch(() => undefined),
  );
  if (found === null) return undefined;
  // Both at once: a failure of the one rejects the other too.
  const [bytes, failure] = await Promise.all([new Response(found.data).bytes(), found.error]);
  if (failure instanceof Error) throw failure;
  return bytes;
}
