import type { Branded } from "./branded.ts";
import type { DeadLetterReason } from "./dead-letter.ts";

/** 26 base32 characters; the `Nats-Msg-Id` of an event or dead letter (contract §5). */
export type EventId = Branded<string, "EventId">;

/** A fault of ours, or a wish to hear from the sender again: the sender keeps what it sent. */
export type TryLaterCause =
  | "registry-not-loaded"
  | "nats-away"
  | "no-ack"
  | "our-fault"
  | "setting-wrong"
  | "stream-full"
  | "too-many-recipients"
  | "busy"
  | "parse-slow"
  | "dns-trouble"
  | "rate-limited"
  | "hook-paused"
  | "too-many-connections"
  | "shutting-down"
  | "idle";

/** The sender is wrong, and would be wrong again. */
export type RefusedCause =
  | "no-such-hook"
  | "not-our-domain"
  | "hook-disabled"
  | "too-large"
  | "mail-loop"
  | "tls-required"
  | "smuggling"
  | "empty"
  | "authentication-failed";

/** What became of one mail or request for one hook. Only `stored` and `deadLettered` may be answered 250 or 2xx. */
export type Outcome =
  | { readonly kind: "stored"; readonly eventId: EventId; readonly duplicate: boolean }
  | { readonly kind: "deadLettered"; readonly eventId: EventId; readonly reason: DeadLetterReason }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error?: unknown }
  | { readonly kind: "refused"; readonly cause: RefusedCause };
