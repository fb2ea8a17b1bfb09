import type { HeaderField } from "./mail.ts";

/**
 * How far a decoded text can be trusted: `lossy` where bytes were no characters of its charset and U+FFFD stands for them;
 * `unknown-charset` where nobody here knows the charset that is named, and only its ASCII characters are in the text.
 */
export type Fidelity = "exact" | "lossy" | "unknown-charset";

/** A text with lines put together again, and which relay had cut them. */
export interface RejoinedText {
  readonly text: string;
  readonly fidelity: Fidelity;
  readonly repair: "rejoined-998" | "rejoined-sendmail";
}

/** One leaf of the MIME tree, its transfer encoding undone. */
export interface MailPart {
  /** "1", "1.2", "2.1.3" as IMAP numbers them (RFC 3501 §6.4.5); "1" for a mail that is no multipart. */
  readonly part: string;
  /** Lower case, without parameters. */
  readonly mediaType: string;
  readonly filename: string | null;
  readonly disposition: "inline" | "attachment" | null;
  /** It stands inside a `message/rfc822` part, a TNEF body of a forward or a quoted forward. */
  readonly forwarded: boolean;
  readonly headers: readonly HeaderField[];
  /** Transfer encoding undone, charset untouched. */
  readonly bytes: Uint8Array;
  /** The bytes as text: BOM, label, HTML meta, valid UTF-8; format=flowed undone. Decoded on first call. */
  text(): string;
  /** How far `text()` gives what the sender wrote. */
  fidelity(): Fidelity;
  /** Content-Location of the part, resolved against that of the multiparts around it; `null` without one (RFC 2557 §5). */
  readonly location: string | null;
  /** The charset that the part names, as sent; `null` when it names none. */
  readonly charset: string | null;
  /** The text with lines put together again that a relay cut at its own width; undefined when no line looks cut. */
  rejoined(): RejoinedText | undefined;
  /** True when `bytes` is an encrypted body (S/MIME, PGP) that nobody here can read. */
  readonly encrypted: boolean;
}
