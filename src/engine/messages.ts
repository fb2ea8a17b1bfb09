import type { SchemaVerdict } from "../extract/schema.ts";
import type { JsonSchema } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { DeadLetterReason } from "../model/dead-letter.ts";
import type { Hook } from "../model/hook.ts";
import type { EventId } from "../model/outcome.ts";
import type { ReadLimits } from "./budgets.ts";
import type { MailFacts, MailJob, Plan, PlannedObject } from "./job.ts";
import type { HookWish, MailReading } from "./read-mail.ts";
import type { RequestReading, RequestToRead } from "./read-request.ts";

/** What a thread knows from its start. */
export interface ThreadSettings {
  readonly limits: ReadLimits;
  readonly dnsServers: readonly string[];
  readonly authservIds: readonly string[];
  readonly objectBucket: string;
  /** See `progress.ts`. */
  readonly progress: SharedArrayBuffer;
}

/** A hook that the thread remembers under a number, so that it travels once. */
export interface RememberedHook {
  readonly slot: number;
  readonly hook: Hook;
  readonly keyValue: string | undefined;
  readonly schemaSha256: string | undefined;
}

/** A delivery whose hook stands under `slot`. */
export interface WireDelivery {
  readonly slot: number;
  readonly tag: string | null;
  readonly addresses: readonly string[];
  readonly traceparent: string;
}

/** What is asked for one mail. */
export interface MailRequest {
  readonly kind: "mail";
  readonly mail: Omit<MailJob, "bytes" | "deliveries"> & { readonly deliveries: readonly WireDelivery[] };
  /** One delivery at a time: this one, or -1 for none yet. Without it all at once. */
  readonly only?: number;
  /** The mail cost too much to be read: it becomes dead letters with this reason. */
  readonly unread?: DeadLetterReason;
}

/** Whether a payload that came without a mail meets its hook's schema. */
export interface SchemaRequest {
  readonly kind: "schema";
  readonly schema: JsonSchema;
  readonly payload: JsonText;
}

/** What a mail holds, for a person who looks at it. */
export interface ReportRequest {
  readonly kind: "report";
  readonly wishes: readonly HookWish[];
}

/** What a form or web hook was sent. */
interface BodyRequest extends Omit<RequestToRead, "hook" | "body"> {
  readonly kind: "body";
  readonly slot: number;
}

type ThreadRequest = MailRequest | SchemaRequest | ReportRequest | BodyRequest;

/** One piece of work of a batch: its bytes lie in the batch's block, or are shared memory. */
export interface ThreadWork {
  readonly id: number;
  readonly request: ThreadRequest;
  readonly bytes?: Uint8Array;
  readonly inBlock?: readonly [offset: number, length: number];
}

export type ToThread =
  | {
      readonly kind: "batch";
      readonly hooks: readonly RememberedHook[];
      readonly works: readonly ThreadWork[];
      readonly block: ArrayBuffer | undefined;
    }
  /** A delivery of a mail that is planned one by one. */
  | { readonly kind: "plan"; readonly id: number; readonly index: number }
  /** Nobody waits for it any more. */
  | { readonly kind: "forget"; readonly id: number }
  /** `progress.ts` names the only work that still counts; answered when it is done. */
  | { readonly kind: "alone" };

/** Where bytes lie: in a chunk that came along, or (-1) in the mail itself. */
export type BytesRef = readonly [chunk: number, offset: number, length: number];

/** A plan whose bytes lie elsewhere. */
type WithRef<P> = P extends { readonly bytes: Uint8Array } ? Omit<P, "bytes"> & { readonly bytes: BytesRef } : P;
export type WirePlan = WithRef<Plan>;

export type WireObject = Omit<PlannedObject, "bytes"> & { readonly bytes: BytesRef };

export type WorkResult =
  | {
      readonly kind: "planned";
      readonly facts: MailFacts;
      readonly plans: readonly WirePlan[];
      readonly objects: readonly WireObject[];
      /** Of a mail that is planned one by one. */
      readonly eventIds?: readonly (EventId | undefined)[];
    }
  | { readonly kind: "verdict"; readonly verdict: SchemaVerdict }
  | { readonly kind: "report"; readonly reading: MailReading }
  | { readonly kind: "body"; readonly reading: RequestReading }
  /** A bug of ours, or a library that broke its promise. */
  | { readonly kind: "threw"; readonly error: string };

export type FromThread =
  /** The thread has loaded its code: from now on what ends it is the work that it holds. */
  | { readonly kind: "ready"; readonly thread: number | undefined }
  | {
      readonly kind: "results";
      readonly results: readonly { readonly id: number; readonly result: WorkResult }[];
      readonly chunks: readonly ArrayBuffer[];
      /** So many batches were gone through: what is missing of them waits for DNS. */
      readonly batchesDone: number;
    }
  /** The work that was to end alone has ended; everything else was dropped. */
  | { readonly kind: "alone-done" }
  /** Code that the work needs could not be loaded: the thread is as good as one that never started. */
  | { readonly kind: "unloaded"; readonly error: string }
  /** For the log of the process. */
  | { readonly kind: "fault"; readonly sentence: string; readonly error: string };
