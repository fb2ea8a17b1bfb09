// The limits of one SMTP or LMTP conversation that nobody sets: by the contract, or by care. The others are settings.

/** One command with its parameters; RFC 5321 §4.5.3.1.4 asks for 512, its extensions for more. */
export const MAX_COMMAND_BYTES = 4_096;

/** Hops after which a mail is going round in circles (contract §7; RFC 5321 §6.3). */
export const MAX_RECEIVED_FIELDS = 100;

/** Passwords that one connection may get wrong; the last one hears 421. */
export const MAX_WRONG_LOGINS = 3;

/** A list of old addresses has a few that are gone; who asks for more on one connection is harvesting. */
export const UNKNOWN_RECIPIENTS_AT_FULL_SPEED = 10;
export const MAX_UNKNOWN_RECIPIENTS = 30;
export const UNKNOWN_DELAY_MS = 20;
export const MAX_UNKNOWN_DELAY_MS = 1_000;
