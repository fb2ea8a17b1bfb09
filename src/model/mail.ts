import type { Branded } from "./branded.ts";
import type { Hook } from "./hook.ts";

/** The SMTP envelope of one mail, as the relay spoke it (RFC 5321 §2.3.1). */
export interface Envelope {
  /** MAIL FROM, "" for the null sender. */
  readonly from: string;
  readonly remoteAddress: string;
  readonly helo: string;
  readonly protocol: "SMTP" | "ESMTP" | "ESMTPS" | "ESMTPA" | "ESMTPSA" | "LMTP" | "LMTPS";
  /** The TLS version and cipher, `null` in the clear. */
  readonly tls: string | null;
}

/** One accepted RCPT: where it leads and how it was written. A repeated RCPT stands here again. */
export interface Recipient {
  /** The address as the relay wrote it. */
  readonly address: string;
  /** What stands behind the first `+` of the local part, `null` when there is none. */
  readonly tag: string | null;
  readonly hook: Hook;
  /** When the relay asked for it, milliseconds since the epoch. */
  readonly askedAt?: number;
}

/**
 * `relay` and `relayed-client` came through POSTHORN_TRUSTED_RELAYS: with the first the address in the envelope is the
 * relay's own, with the second that of the client it told us of (PROXY, XCLIENT, XFORWARD).
 */
export type Peer = "stranger" | "relay" | "relayed-client";

/** One mail at the end of its DATA, before anybody looked inside. */
export interface ReceivedMail {
  readonly envelope: Envelope;
  /** In RCPT order. */
  readonly recipients: readonly Recipient[];
  readonly bytes: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Who was at the other end of the connection that brought it. */
  readonly peer: Peer;
  /** Log lines of one mail share it, and no other mail has it. */
  readonly transactionId: string;
  /** What a trusted relay calls the mail in its own log. */
  readonly queueId?: string | undefined;
}

export interface MailAddress {
  readonly name: string;
  readonly address: string;
}

export interface HeaderField {
  readonly name: string;
  /** Unfolded and decoded (RFC 2047). */
  readonly value: string;
}

/** Valid JSON text, carried as the sender wrote it: digits, key order and duplicate keys untouched. */
export type JsonText = Branded<string, "JsonText">;

/** Where an attachment stands; its bytes travel beside, never inside a log or an error. */
export interface Attachment {
  readonly part: string;
  readonly filename: string | null;
  readonly mediaType: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
  /** `bytes` are a long file in base64, part of the mail as it was sent: so the file is never held beside its mail. */
  readonly isEncoded?: true;
  /** A `data-kustomer-key` stands in it: it never travels inside an event, however small (contract §2 `key`). */
  readonly holdsKey?: true;
}

/** What the event says of a mail (contract §5 `data.mail`), as read from its bytes. */
export interface MailSummary {
  readonly from: readonly MailAddress[];
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly replyTo: readonly MailAddress[];
  readonly mailSubject: string | null;
  /** RFC 3339, `null` when the Date header is missing or unreadable. */
  readonly date: string | null;
  readonly messageId: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  /** RFC 3834 value ("auto-replied", "auto-generated", "bounce" for a null sender's report), `null` for a person's mail. */
  readonly autoSubmitted: string | null;
  /** The field that makes the mail automatic, in words: `List-Id is set`; `null` for a person's mail. */
  readonly automaticBecause: string | null;
  /** At most 64 KiB of UTF-8 each; `null` when the mail has no such part. */
  readonly text: string | null;
  readonly html: string | null;
  readonly textTruncated: boolean;
  readonly headers: readonly HeaderField[];
  readonly attachments: readonly Attachment[];
  /** Bytes of the whole mail. */
  readonly size: number;
  /** What the event id is made of, as sent. */
  readonly identity: {
    readonly messageId: string;
    readonly date: string;
    readonly from: string;
    /** The topmost Received field. */
    readonly received: string;
    readonly bodySha256: string;
  };
}
