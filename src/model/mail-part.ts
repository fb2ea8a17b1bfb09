import type { HeaderField } from "./mail.ts";

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
  /** The bytes as text: label, BOM, HTML meta, valid UTF-8 in this order; format=flowed undone. Decoded on first call. */
  text(): string;
  /** The text with lines put together again that a relay cut at its own width; undefined when no line looks cut. */
  rejoined(): { readonly text: string; readonly repair: "rejoined-998" | "rejoined-sendmail" } | undefined;
  /** True when `bytes` is an encrypted body (S/MIME, PGP) that nobody here can read. */
  readonly encrypted: boolean;
}
