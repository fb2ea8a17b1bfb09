import type { HookWish, MailReading, ReadLimits } from "./read-mail.ts";

/** What the pool asks of a thread. */
export interface ReadRequest {
  readonly bytes: Uint8Array;
  readonly wishes: readonly HookWish[];
  readonly limits: ReadLimits;
}

/** What a thread answers: a reading, or the error that stopped it, as text for the log. */
export type ReadResponse =
  | { readonly kind: "reading"; readonly reading: MailReading }
  | { readonly kind: "threw"; readonly error: string };
