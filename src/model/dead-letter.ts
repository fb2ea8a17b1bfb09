/** Why a mail or request was kept as a dead letter instead of an event (contract §6). */
export type DeadLetterCode =
  | "nothing-extracted"
  | "schema-failed"
  | "invalid-json"
  | "limit-exceeded"
  | "unparseable"
  | "parse-timeout"
  | "sender-not-allowed"
  | "authentication-failed"
  | "key-mismatch"
  | "honeypot"
  | "forwarding-confirmation"
  | "automatic"
  | "system";

export interface DeadLetterReason {
  readonly code: DeadLetterCode;
  /** What happened, for a person who looks for the mail. */
  readonly detail: string;
  /** In place of the code's own title, where that would say something else. */
  readonly title?: string;
}

/** The sentence that stands over a dead letter. */
export function titleOf({ code, title }: Pick<DeadLetterReason, "code" | "title">): string {
  return title ?? DEAD_LETTER_TITLES[code];
}

/** The sentence of each code. */
export const DEAD_LETTER_TITLES = {
  "nothing-extracted": "No JSON, JSON-LD or microdata was found",
  "schema-failed": "The payload does not meet the hook's schema",
  "invalid-json": "The JSON that was found could not be read",
  "limit-exceeded": "The mail passes a limit",
  unparseable: "The mail could not be parsed",
  "parse-timeout": "Parsing took too long",
  "sender-not-allowed": "The sender is not among those the hook allows",
  "authentication-failed": "The sender could not be authenticated",
  "key-mismatch": "The mail does not carry the hook's key",
  honeypot: "A field that people leave empty was filled in",
  "forwarding-confirmation": "A mailbox provider asks to confirm forwarding",
  automatic: "An automatic reply, bounce or list mail",
  system: "Mail for the postmaster",
} as const satisfies Record<DeadLetterCode, string>;
