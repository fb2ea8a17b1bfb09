import type { SchemaVerdict } from "../extract/schema.ts";
import type { ReadResponse, ThreadRequest } from "./messages.ts";
import type { MailReading } from "./read-mail.ts";

/** What came of a mail in the pool. `parse-timeout` and `died` cost this mail only, and it is dead-lettered. */
export type PoolResult = MailReading | PoolFailure;

/** What came of a schema in the pool. */
export type SchemaResult = SchemaVerdict | PoolFailure;

export type PoolFailure =
  | { readonly kind: "parse-timeout"; readonly cpuMs: number }
  | { readonly kind: "died"; readonly error: string }
  | { readonly kind: "too-slow" }
  | { readonly kind: "busy" };

/** What came of a hash in the pool, SHA-256 in hex. */
type HashResult = (ReadResponse & { readonly kind: "hash" }) | PoolFailure;

export type JobResult = PoolResult | SchemaResult | HashResult;

/** One request to the pool, and who waits for its answer. */
export interface Job {
  readonly request: ThreadRequest;
  readonly resolve: (result: JobResult) => void;
  /** On the clock of `performance.now()`. */
  readonly waitsSince: number;
}

const SMALL_BYTES = 256 * 1024;

/** Quickly done: a hash is, of however many bytes. */
export function isSmall({ request }: Job): boolean {
  if ("hashed" in request) return true;
  return ("bytes" in request ? request.bytes.length : request.payload.length) <= SMALL_BYTES;
}
