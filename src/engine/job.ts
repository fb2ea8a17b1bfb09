import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { Envelope, Peer } from "../model/mail.ts";
import type { EventId, RefusedCause, TryLaterCause } from "../model/outcome.ts";

/** One mail, whole, and the hooks it is for: what an engine thread decides about. */
export interface MailJob {
  /** Shared memory where they are many. Not changed by anybody. */
  readonly bytes: Uint8Array;
  readonly envelope: Envelope;
  readonly peer: Peer;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Each recipient has a reply of its own (LMTP); else one reply speaks for all. */
  readonly repliesEach: boolean;
  /** Keep the raw mail of events, too (POSTHORN_ARCHIVE). */
  readonly archivesAll: boolean;
  /** An event over this size keeps its data in the Object Store. */
  readonly maxEventBytes: number;
  readonly deliveries: readonly DeliveryJob[];
}

/** One event or dead letter to be. */
export interface DeliveryJob {
  readonly hook: Hook;
  /** The secret that the hook's `key` option names. */
  readonly keyValue: string | undefined;
  /** Hex SHA-256 of the hook's schema, when one is set. */
  readonly schemaSha256: string | undefined;
  readonly tag: string | null;
  /** The recipients that led here, as the relay wrote them. */
  readonly addresses: readonly string[];
  readonly traceparent: string;
}

/** What shall be done for one delivery. Only what is stored may be answered 250. */
export type Plan =
  | {
      readonly kind: "publish";
      readonly eventId: EventId;
      readonly bytes: Uint8Array;
      /** Names of the objects that must be stored before. */
      readonly objects: readonly string[];
    }
  | {
      readonly kind: "dead-letter";
      readonly eventId: EventId;
      readonly reason: DeadLetterReason;
      readonly bytes: Uint8Array;
      readonly objects: readonly string[];
    }
  | { readonly kind: "refuse"; readonly cause: RefusedCause }
  | { readonly kind: "try-later"; readonly cause: TryLaterCause; readonly detail?: string };

/** Bytes that an event or dead letter names. */
export interface PlannedObject {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  /** `bytes` are a file in base64, as it was sent. */
  readonly isEncoded: boolean;
}

/** What a log line says of a mail that was read. */
export interface MailFacts {
  readonly messageId: string | null;
}

/** Finished plans. */
export interface Planned {
  readonly kind: "planned";
  readonly facts: MailFacts;
  /** For all deliveries, or the one that was asked for. */
  readonly plans: readonly Plan[];
  /** Each once, however many plans name it. */
  readonly objects: readonly PlannedObject[];
  /** The bytes are done with. */
  readonly release: () => void;
}

/** A mail that is planned one delivery at a time, so that only one is in memory. */
interface ReadOneByOne {
  readonly kind: "one-by-one";
  readonly facts: MailFacts;
  /** What each delivery that is published has for its event's id. */
  readonly eventIds: readonly (EventId | undefined)[];
  /** Plans one delivery. To be called when the one before is done with. */
  readonly plan: (index: number) => Promise<Planned | NotPlanned>;
  /** No further delivery is asked for. */
  readonly end: () => void;
}

/** What came of a mail in the engine. What a mail costs too much is planned as a dead letter; the rest is tried later. */
export type MailAnswer = Planned | ReadOneByOne | NotPlanned;

export type NotPlanned =
  | { readonly kind: "busy" }
  | { readonly kind: "too-slow" }
  | { readonly kind: "fault"; readonly error: string };
