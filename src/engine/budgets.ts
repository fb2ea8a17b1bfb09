import type { ExtractLimits } from "../extract/limits.ts";
import type { MimeLimits } from "../parse/mail.ts";

// Every limit on what a stranger's bytes may cost, each with the attack that it stops. What passes a content limit is a
// dead letter and 250 (contract §7): a relay that heard 451 would send the same bytes again for five days.

/** What one mail may hold (contract §4). */
export interface ReadLimits {
  readonly mime: MimeLimits;
  readonly extract: ExtractLimits;
}

export const READ_LIMITS: ReadLimits = {
  mime: {
    /** 100,000 empty parts in 5 MB: each costs objects of its own. */
    parts: 1_000,
    /** Multiparts inside multiparts: a boundary each, looked for in all that follows. */
    mimeDepth: 50,
    /** A header that never ends, with a million fields. */
    headerBytes: 256 * 1024,
    /** Mails inside mails. */
    rfc822Depth: 8,
    /** Text and HTML that an event carries; more is cut and said so. */
    textBytes: 64 * 1024,
  },
  extract: {
    /** `[[[[…`: what walks a tree by recursion ends with the stack. */
    jsonDepth: 512,
    /** A million scripts, each an item of the event. */
    items: 1_000,
    /** `<div><div><div>…` where a tree is needed. */
    htmlDepth: 512,
    htmlNodes: 250_000,
  },
};

/** What the body of a form or web hook may hold; its bytes are a setting. */
export const BODY_LIMITS = {
  jsonDepth: 512,
  /** A form of a million empty fields. */
  fields: 1_000,
  /** `a[b][c][d]…=1`: each level an object. */
  fieldDepth: 8,
} as const;

/** What looking into who sent a mail may cost; more signatures or seals are not looked at (RFC 6376 §6.1 allows a limit). */
export const DNS_LIMITS = {
  timeoutMs: 5_000,
  cacheMs: 60_000,
  troubleMs: 5_000,
  cachedAnswers: 20_000,
  /** Records that include records: RFC 7208 §11.1. */
  lookupsPerMail: 80,
  inFlight: 1_000,
};
/** One mail may wait for DNS for less than a delivery may take. */
export const DNS_DEADLINE_MS = 8_000;
/** Verdicts of SPF and DMARC over mail that is alike, kept for a moment. */
export const REMEMBERED_VERDICTS = 10_000;

/** What one SMTP transaction may become; past it the relay sends the rest separately (contract §7). */
export const TRANSACTION_LIMITS = {
  /** Bytes times deliveries: one mail of 20 MB to a hundred tags of one hook is a hundred events of 20 MB. */
  bytes: 512 * 1024 * 1024,
  /** What a mail of unannounced size is taken for there. */
  unannouncedBytes: 1024 * 1024,
  recipients: 100,
};

/** A mail whose bytes times deliveries pass this is read alone and becomes one delivery at a time, so that only one is in memory. */
export const HEAVY_BYTES = 1024 * 1024;
/** Finished bytes that wait for their acks; while there are more, no further batch is begun. */
export const BUILT_BYTES = 64 * 1024 * 1024;

/** Mails of one batch, and batches that one thread has at a time: enough to keep it busy, few enough to be read again. */
export const BATCH_MAILS = 32;
export const BATCHES_IN_HAND = 2;
/** Bytes of one batch. */
export const BATCH_BYTES = 512 * 1024;

/** A mail that holds a thread for longer is slow: it ends alone, and the rest of its batch is read elsewhere. */
export const SLOW_MS = 20;
/** The same where other processes have the cores, and the thread gets little of them. */
export const SLOW_WALL_MS = 100;
/** While a thread has been at one batch for longer, what waits goes to the spare. */
export const LATE_MS = 15;
/** Mails that hold a thread each; more would take the cores from everybody. */
export const SLOW_PLACES = 2;
/** Mails that were stopped because all such places were taken, and wait for one. */
export const STOPPED_MAILS = 16;
/** Wall time in units of the CPU time limit: past it others have the cores, and the mail is tried later. */
export const WALL_TIME_FACTOR = 3;
/** JavaScript heap of one thread: what outgrows it ends the thread and is dead-lettered at its second try. */
export const THREAD_HEAP_MB = 512;
