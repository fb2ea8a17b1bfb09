import type { App, HookState, HookType } from "../model/hook.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Log } from "../telemetry/log.ts";
import type { Doors } from "./examples.ts";

/** A hook as the page shows it; `address` of email hooks, `url` of the others. */
export interface AdminHook {
  readonly app: string;
  readonly eventName: string;
  readonly displayEventName: string;
  readonly description: string;
  readonly type: HookType;
  readonly state: HookState;
  /** Like `address`, `url` and `aliases` for administrators only. */
  readonly id?: string;
  readonly aliases: readonly string[];
  readonly address?: string;
  readonly url?: string;
  readonly options: HookOptions;
}

/** One thing that was looked at, and what it means. */
export interface AdminCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly warning?: true;
  readonly detail: string;
}

/** Who does something, and by which way. */
export interface Actor {
  readonly name: string;
  readonly via: "page" | "api";
}

/** One thing that is wrong in an app definition, and the line of it that it is about (1-based). */
export interface DefinitionComplaint {
  readonly pointer: string;
  readonly message: string;
  readonly line: number;
}

/** What installing a definition would do. */
export type InstallPreview =
  | { readonly kind: "invalid"; readonly problems: readonly DefinitionComplaint[] }
  | {
      readonly kind: "ready";
      readonly app: string;
      readonly title: string;
      readonly version: string;
      /** The version that is installed now; null when none is. */
      readonly installed: string | null;
      readonly changes: readonly HookChange[];
      readonly warnings: readonly string[];
    };

export interface HookChange {
  readonly eventName: string;
  readonly displayEventName: string;
  readonly type: HookType;
  readonly change: "added" | "removed" | "changed" | "same";
  /** What is different, a sentence each. */
  readonly details: readonly string[];
}

interface InstallResult {
  readonly app: string;
  readonly hooks: number;
  readonly warnings: readonly string[];
}

/** An event, dead letter or other entry of a stream, as stored. */
export interface Entry {
  readonly sequence: number;
  readonly subject: string;
  readonly storedAt: string;
  readonly text: string;
}

export interface EntryPage {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** Go on before this sequence; null at the beginning of the stream. */
  readonly next: number | null;
  readonly lookedAt: number;
}

export interface EntryWish {
  readonly before?: number | undefined;
  readonly limit: number;
  readonly subjects?: readonly string[] | undefined;
  /** A part of the entry's text, in any case. */
  readonly text?: string | undefined;
  /** A part of the entry's text to the letter. */
  readonly contains?: string | undefined;
  /** What whoever asks may see of an entry's text: that is what `text` is looked for in. */
  readonly seen?: (text: string) => string;
}

/** Seeing and changing apps and hooks. Changes throw `OperatorError` for what the administrator has to mend. */
export interface HookServices {
  readonly apps: () => readonly App[];
  readonly hooks: () => readonly AdminHook[];
  readonly hook: (eventName: string) => AdminHook | undefined;
  /** Whether this, in lower case, is the id of a hook that is installed. */
  readonly isHookId: (text: string) => boolean;
  readonly previewInstall: (definition: string) => InstallPreview;
  readonly installApp: (definition: string, by: Actor) => Promise<InstallResult>;
  readonly uninstallApp: (app: string, by: Actor) => Promise<void>;
  readonly createHook: (
    wish: { readonly type: HookType; readonly name: string; readonly eventName?: string },
    by: Actor,
  ) => Promise<AdminHook>;
  readonly rotateHook: (eventName: string, by: Actor) => Promise<AdminHook>;
  readonly setHookState: (eventName: string, state: HookState, by: Actor) => Promise<AdminHook>;
  /** Gives an email hook a second address in one of our mail domains, or takes it away. */
  readonly addAlias: (eventName: string, address: string, by: Actor) => Promise<AdminHook>;
  readonly removeAlias: (eventName: string, address: string, by: Actor) => Promise<AdminHook>;
  readonly doors: () => Doors;
  /** When each of these last published something, RFC 3339; missing for never. */
  readonly lastEvents: (eventNames: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Events in each of the last 24 hours, oldest first. */
  readonly hourlyCounts: (eventName: string) => Promise<readonly number[]>;
}

/** A place where data was found, as a person would call it. */
export interface FoundItem {
  readonly format: string;
  readonly types: readonly string[];
  readonly place: string;
  readonly repaired: readonly string[];
  /** JSON text as sent. */
  readonly json: string;
  readonly isPayload: boolean;
}

/** What a mail, page or text holds, read as the daemon reads mail. */
export type MailReport =
  | {
      readonly kind: "read";
      readonly subject: string | null;
      readonly from: string | null;
      readonly text: string | null;
      readonly html: string | null;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
      readonly attachments: readonly {
        readonly part: string;
        readonly filename: string | null;
        readonly mediaType: string;
        readonly bytes: Uint8Array;
      }[];
      readonly items: readonly FoundItem[];
      readonly skipped: readonly { readonly place: string; readonly reason: string }[];
      /** What was looked at, in order. */
      readonly notes: readonly string[];
      /** JSON text of what would be published; null when nothing would. */
      readonly payload: string | null;
      readonly deadLetter: { readonly code: string; readonly title: string; readonly detail: string } | null;
    }
  | { readonly kind: "unread"; readonly why: string };

/** Which item, in which form: the options of a hook that change what is taken. */
export interface TakeOptions {
  readonly selectType?: string | undefined;
  readonly selectFilename?: string | undefined;
  readonly jsonld?: "as-sent" | "compact" | "expand" | "flatten" | undefined;
  /** Of this hook, instead. */
  readonly eventName?: string | undefined;
}

/** What became of a mail that was sent from the test bench. */
export interface SendAnswer {
  readonly kind: "stored" | "deadLettered" | "tryLater" | "refused";
  /** The event's or dead letter's id, or why there is none. */
  readonly detail: string;
}

/** Reading mails again: the test bench, and the raw mail behind an event or dead letter. */
export interface ReadingServices {
  /** Runs in a worker with the daemon's limits. What is no mail is read as if it were a mail's only part. */
  readonly readMail: (bytes: Uint8Array, options: TakeOptions) => Promise<MailReport>;
  /** What kind of input it seems to be. */
  readonly kindOf: (bytes: Uint8Array) => string;
  /** Sends to a hook for real: a mail as if a relay had brought it, JSON through our own HTTP door. */
  readonly send: (eventName: string, bytes: Uint8Array, by: Actor) => Promise<SendAnswer>;
}

/** Seeing what arrived. */
export interface EventServices {
  readonly events: (wish: EntryWish) => Promise<EntryPage>;
  readonly event: (sequence: number) => Promise<Entry | undefined>;
  /** From which sequence on events are from this moment or later; undefined when none is. */
  readonly eventsFrom: (moment: Date) => Promise<number | undefined>;
  /** Resolves when nothing that comes after is missed. */
  readonly followEvents: (signal: AbortSignal, after: number | undefined) => Promise<AsyncIterable<Entry>>;
  /** A stored mail, file, or `data` of a big event; undefined when it expired. */
  readonly object: (name: string) => Promise<Uint8Array | undefined>;
  readonly refused: (wish: EntryWish) => Promise<EntryPage>;
  readonly audit: (wish: EntryWish) => Promise<EntryPage>;
}

/** What became of a dead letter that was run again. */
export interface ReplayAnswer {
  readonly kind: "published" | "dead-again" | "not-possible";
  /** Why it did not become an event. */
  readonly why?: string;
}

export type ReplayLetter = (sequence: number, by: Actor) => Promise<ReplayAnswer>;

/** What became no event, and acting on it. */
export interface DeadLetterServices {
  readonly deadLetters: (wish: EntryWish) => Promise<EntryPage>;
  readonly deadLetter: (sequence: number) => Promise<Entry | undefined>;
  /** How many of each reason, among the newest that could be looked at in a moment. */
  readonly deadLetterCounts: () => Promise<{
    readonly byReason: ReadonlyMap<string, number>;
    readonly isComplete: boolean;
  }>;
  /** Every dead letter of a reason, oldest first. */
  readonly allDeadLetters: (reason: string | undefined) => AsyncIterable<Entry>;
  /**
   * Runs letters through the same path as a new mail, one call each; those that became events are taken away. One run for
   * all letters of a bulk: it looks through the events of each hook once.
   */
  readonly startReplay: () => ReplayLetter;
  /** False when it was gone already. */
  readonly discardDeadLetter: (sequence: number, by: Actor) => Promise<boolean>;
}

/** An API key; its secret is shown once, when it is made. */
export interface AdminKey {
  readonly keyId: string;
  readonly app: string;
  /** The hooks it opens; null for every hook of the app. */
  readonly eventNames: readonly string[] | null;
  readonly createdAt: string;
  readonly expires: string | null;
  /** RFC 3339, to the hour; null for never. */
  readonly lastUsed: string | null;
}

export interface KeyServices {
  readonly keys: () => readonly AdminKey[];
  readonly createKey: (
    wish: {
      readonly app: string;
      readonly eventName?: string | undefined;
      readonly expiresInDays?: number | undefined;
    },
    by: Actor,
  ) => Promise<{ readonly keyId: string; readonly key: string; readonly expires: string | null }>;
  readonly revokeKey: (keyId: string, by: Actor) => Promise<void>;
}

export interface StreamFill {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
  /** Null when it has none of its own. */
  readonly maxBytes: number | null;
  readonly oldest: string | null;
  readonly maxAgeMs: number | null;
  /** Only of the event stream. */
  readonly dedupeWindowMs?: number;
}

/** A durable consumer of the event stream: somebody who must not miss anything, and how far behind it is. */
export interface Subscriber {
  readonly name: string;
  readonly waiting: number;
  readonly unacknowledged: number;
  readonly filter: string;
}

/** What this replica did in the time it can look back on, an hour at most. */
export interface Activity {
  readonly sinceMs: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** The least bound, in milliseconds, under which half and 95 % of the acks stayed; null when there was none. */
  readonly ackP50Ms: number | null;
  readonly ackP95Ms: number | null;
}

export interface HealthServices {
  /** Everything that a running Posthorn needs, looked at now. Never throws. */
  readonly checkHealth: () => Promise<readonly AdminCheck[]>;
  readonly streams: () => Promise<readonly StreamFill[]>;
  readonly subscribers: () => Promise<readonly Subscriber[]>;
  readonly activity: () => Promise<Activity>;
}

export type StorageTrouble =
  /** Nobody answers, during an election say: the same call may work a moment later. */
  | { readonly kind: "away" }
  | { readonly kind: "full" }
  /** A setting of NATS is wrong; for an operator. */
  | { readonly kind: "setting"; readonly problem: string; readonly hint: string };

/** What the admin listener is given: all it can see and do. */
export interface AdminServices
  extends HookServices, EventServices, ReadingServices, DeadLetterServices, KeyServices, HealthServices {
  /** False from the moment the daemon begins to stop. */
  readonly isServing: () => boolean;
  /** Notes in the audit log who signed in. */
  readonly noteSignIn: (name: string, role: string) => Promise<void>;
  /** The installed form and web hooks as an OpenAPI document. */
  readonly hooksOpenApi: () => Readonly<Record<string, unknown>>;
  readonly metricsText: () => Promise<{ readonly body: string; readonly contentType: string }>;
  /** What an error that a service threw says of storage; undefined when it is about something else. */
  readonly storageTrouble: (error: unknown) => StorageTrouble | undefined;
  readonly now: () => number;
  readonly log: Log;
}
