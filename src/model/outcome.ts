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
  | "captcha-away"
  | "rate-limited"
  | "guessing"
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
  | "client-not-allowed"
  | "credentials-wrong"
  | "unknown-parameter"
  | "empty"
  | "authentication-failed";

/** What became of one mail or request for one hook. Only `stored` and `deadLettered` may be answered 250 or 2xx. */
export type Outcome =
  | { readonly kind: "stored"; readonly eventId: EventId; readonly duplicate: boolean }
  | { readonly kind: "deadLettered"; readonly eventId: EventId; readonly reason: DeadLetterReason }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error?: unknown }
  | { readonly kind: "refused"; readonly cause: RefusedCause };

/** What only an HTTP sender can get wrong; those of {@link RefusedCause} hold for it too. */
export type RequestRefusedCause =
  | "malformed"
  | "key-missing"
  | "key-wrong"
  | "key-of-another-app"
  | "signature-wrong"
  | "origin-not-allowed"
  | "captcha-failed"
  | "wrong-method"
  | "media-type"
  | "schema-failed"
  | "id-reused"
  | "expectation"
  | "headers-too-large";

/** One place in a request that is wrong, for a person who mends it. */
export interface RequestProblem {
  /** JSON Pointer into the payload, or the name of a header in front of a colon. */
  readonly pointer: string;
  readonly message: string;
}

/** What became of one request. Only `stored`, `storedBatch` and `deadLettered` may be answered 2xx. */
export type RequestOutcome =
  | Exclude<Outcome, { readonly kind: "refused" }>
  | {
      readonly kind: "storedBatch";
      readonly events: readonly { readonly eventId: EventId; readonly duplicate: boolean }[];
    }
  | {
      readonly kind: "refused";
      readonly cause: RefusedCause | RequestRefusedCause;
      /** In our words, never the sender's bytes. */
      readonly detail?: string;
      readonly problems?: readonly RequestProblem[];
    };
