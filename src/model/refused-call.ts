/** The doors whose refusals are kept; the last token of the subject (contract §6). */
export type RefusalDoor = "smtp" | "lmtp" | "http";

/** One 4xx or 5xx as a door gave it. Never a body, a key or a whole hook id. */
export interface Refusal {
  readonly door: RefusalDoor;
  readonly remoteAddress: string;
  /** The event name, `null` when no hook was found. */
  readonly hook: string | null;
  /** As the sender heard it: `550 5.1.1`, or `404`. */
  readonly answer: string;
  /** In words, or the cause's name. */
  readonly reason: string;
  /** The cause's name; `protocol` for what the protocol itself does not allow. */
  readonly cause: string;
  /** MAIL FROM, `null` before it and over HTTP. Hook ids in it and in `recipient` are cut before it is kept. */
  readonly sender: string | null;
  /** The address of the RCPT that was refused. */
  readonly recipient: string | null;
}

/** A refusal as it stands in the stream. */
export interface RefusedCall extends Refusal {
  /** RFC 3339. */
  readonly time: string;
}

/** What one remote address got beyond ten refusals a second, summed over a minute. */
export interface RefusedSum {
  readonly time: string;
  /** When the sum began, RFC 3339. */
  readonly since: string;
  readonly door: RefusalDoor;
  readonly remoteAddress: string;
  readonly count: number;
  /** How often each answer was given. */
  readonly answers: Readonly<Record<string, number>>;
}
