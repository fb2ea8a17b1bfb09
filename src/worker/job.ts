import type { SchemaVerdict } from "../extract/schema.ts";
import type { ReadRequest, SchemaRequest } from "./messages.ts";
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

/** One request to the pool, and who waits for its answer. */
export interface Job {
  readonly request: ReadRequest | SchemaRequest;
  readonly resolve: (result: PoolResult | SchemaVerdict) => void;
  /** On the clock of `performance.now()`. */
  readonly waitsSince: number;
}

const SMALL_BYTES = 256 * 1024;

export function isSmall({ request }: Job): boolean {
  return ("bytes" in request ? request.bytes.length : request.payload.length) <= SMALL_BYTES;
}
