import type { SchemaVerdict } from "../extract/schema.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { HookWish, MailReading, ReadLimits } from "./read-mail.ts";

/** What the pool asks of a thread. */
interface ReadRequest {
  readonly bytes: Uint8Array;
  readonly wishes: readonly HookWish[];
  readonly limits: ReadLimits;
}

/** Whether a payload that came without a mail meets its hook's schema. */
interface SchemaRequest {
  readonly schema: JsonSchema;
  readonly payload: JsonText;
}

/** Bytes in shared memory whose hash is wanted. */
interface HashRequest {
  readonly hashed: Uint8Array;
}

export type ThreadRequest = ReadRequest | SchemaRequest | HashRequest;

/** What a thread answers: a reading, or the error that stopped it, as text for the log. */
export type ReadResponse =
  /** The thread has loaded its code: from now on what ends it is the work that it holds. */
  | { readonly kind: "ready" }
  | { readonly kind: "reading"; readonly reading: MailReading }
  | { readonly kind: "verdict"; readonly verdict: SchemaVerdict }
  | { readonly kind: "hash"; readonly sha256: string }
  | { readonly kind: "threw"; readonly error: string }
  /** Code that the work needs could not be loaded: the thread is as good as one that never started. */
  | { readonly kind: "unloaded"; readonly error: string };
