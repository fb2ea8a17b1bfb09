import type { SchemaVerdict } from "../extract/schema.ts";
import type { MailAnswer, MailJob } from "./job.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { ReportRequest, SchemaRequest } from "./messages.ts";
import type { MailReading } from "./read-mail.ts";
import type { RequestReading, RequestToRead } from "./read-request.ts";

/** Why a task came to nothing. */
export type TaskFailure =
  | { readonly kind: "parse-timeout"; readonly cpuMs: number }
  | { readonly kind: "died"; readonly error: string }
  | { readonly kind: "too-slow" }
  | { readonly kind: "busy" };

export type TaskAnswer = SchemaVerdict | MailReading | RequestReading | TaskFailure;

/** A mail on its way through the engine. */
export interface MailWork {
  readonly kind: "mail";
  readonly job: MailJob;
  /** Of a mail that is planned one by one: the delivery that is wanted, -1 for none yet. */
  readonly only: number | undefined;
  /** Set once the mail has cost too much. */
  readonly unread: DeadLetterReason | undefined;
  readonly resolve: (answer: MailAnswer) => void;
}

/** Anything else that is done in a thread. */
export interface TaskWork {
  readonly kind: "task";
  readonly request: SchemaRequest | ReportRequest | RequestToRead;
  readonly bytes: Uint8Array | undefined;
  readonly resolve: (answer: TaskAnswer) => void;
}

/** What the engine knows of a work of either kind. */
export interface WorkState {
  /** Never used again: work that is read again gets another one. */
  readonly id: number;
  /** Read alone: it is large, was slow, or may have ended a thread. */
  readonly isHeavy: boolean;
  /** A thread ended while it was at it. */
  readonly hasEndedThread: boolean;
  /** Nobody waits for it now: the next delivery will be asked for. */
  readonly isParked: boolean;
  readonly signal: AbortSignal | undefined;
}

/** One piece of work, from its door to its answer. */
export type Work = (MailWork | TaskWork) & WorkState;
