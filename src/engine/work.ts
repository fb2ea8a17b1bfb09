import type { SchemaVerdict } from "../extract/schema.ts";
import type { MailAnswer, MailJob } from "./job.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { ReportRequest, SchemaRequest } from "./messages.ts";
import type { MailReading } from "./read-mail.ts";

/** Why a task came to nothing. */
export type TaskFailure =
  | { readonly kind: "parse-timeout"; readonly cpuMs: number }
  | { readonly kind: "died"; readonly error: string }
  | { readonly kind: "too-slow" }
  | { readonly kind: "busy" };

type TaskAnswer = SchemaVerdict | MailReading | TaskFailure;

/** A mail on its way through the engine. */
interface MailWork {
  readonly kind: "mail";
  readonly job: MailJob;
  /** The next delivery that is wanted. */
  readonly first: number;
  /** Set once the mail has cost too much. */
  readonly unread: DeadLetterReason | undefined;
  /** CPU time that its deliveries have cost by now, of a mail that is planned one by one. */
  readonly cpuMs: number;
  readonly resolve: (answer: MailAnswer) => void;
}

/** Anything else that is done in a thread. */
interface TaskWork {
  readonly kind: "task";
  readonly request: SchemaRequest | ReportRequest;
  readonly bytes: Uint8Array | undefined;
  readonly resolve: (answer: TaskAnswer) => void;
}

/** One piece of work, from its door to its answer. */
export type Work = (MailWork | TaskWork) & {
  /** Never used again: work that is read again gets another one. */
  readonly id: number;
  /** Read alone: it is large, was slow, or may have ended a thread. */
  readonly isHeavy: boolean;
  /** A thread ended while it was at it. */
  readonly hasEndedThread: boolean;
  /** Nobody waits for it now: the next delivery will be asked for. */
  readonly isParked: boolean;
  readonly signal: AbortSignal | undefined;
};
