import { createHash, hash } from "node:crypto";

import type { LimitName } from "../model/item.ts";
import type { MailHeader } from "../model/mail-header.ts";
import type { Attachment, MailSummary } from "../model/mail.ts";
import type { MailPart } from "../model/mail-part.ts";
import { parseAddresses } from "./addresses.ts";
import { automaticMarkOf } from "./automatic.ts";
import { decodeWords } from "./encoded-words.ts";
import { fieldOf } from "./headers.ts";
import type { RawField } from "./headers.ts";
import { parseMailDate } from "./mail-date.ts";
import { MailLeaf } from "./mail-leaf.ts";
import type { MimeLimits, MimeTree } from "./mime-tree.ts";
import { readTree } from "./mime-tree.ts";
import { readInPieces } from "./transfer-encoding.ts";

export type { MimeLimits } from "./mime-tree.ts";

/** A mail taken apart, or the limit that it passes. */
export type MailParsing =
  | {
      readonly kind: "mail";
      readonly summary: MailSummary;
      readonly parts: readonly MailPart[];
      readonly notes: readonly string[];
      /** As it was cut into fields, for whoever has to see the bytes of one. */
      readonly header: MailHeader;
    }
  | { readonly kind: "limit"; readonly limit: LimitName; readonly detail: string };

/** A file up to this size is kept as it is: it may be asked for as a whole, as what travels inside an event. */
const KEPT_DECODED_BYTES = 256 * 1024;
const ADDRESS_FIELDS = ["from", "to", "cc", "reply-to"] as const;

/**
 * Takes a mail apart: its leaves in document order, and what the event says of it. Pure, synchronous, never throws.
 *
 * Without `needsHtml` the summary has no HTML, but still says whether it would have been cut.
 *
 * The raw bytes are not changed and may be shared memory; parts of identity encoding are views of them.
 */
export function parseMail(bytes: Uint8Array, limits: MimeLimits, needsHtml = true): MailParsing {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tree = readTree(buffer, limits);
  if (tree.limit !== undefined) return { kind: "limit", ...tree.limit };
  const parts = tree.leaves.map((leaf) => new MailLeaf(leaf));
  const encrypted = parts.filter((part) => part.encrypted);
  const notes = [...tree.notes, ...encrypted.map(({ part, mediaType }) => `part ${part} (${mediaType}) is encrypted`)];
  const { fields, bodyStart } = tree;
  const header = { fields, bodyStart, isTooLong: false };
  return { kind: "mail", summary: summarize(buffer, tree, parts, limits, needsHtml), parts, notes, header };
}

function summarize(
  buffer: Buffer,
  tree: MimeTree,
  parts: readonly MailLeaf[],
  limits: MimeLimits,
  needsHtml: boolean,
): MailSummary {
  const { fields, bodyStart } = tree;
  const [from, to, cc, replyTo] = ADDRESS_FIELDS.map((name) => parseAddresses(allOf(fields, name)));
  const automatic = automaticMarkOf(fields);
  const textPart = decodable(bodyOf(parts, "text/plain"));
  const htmlPart = decodable(bodyOf(parts, "text/html"));
  const text = cut(textPart?.text(), limits.textBytes);
  const wholeHtml = htmlPart?.text();
  const html = needsHtml || mayBeCut(wholeHtml, limits.textBytes) ? cut(wholeHtml, limits.textBytes) : undefined;
  const mailSubject = fieldOf(fields, "subject");
  return {
    from: from ?? [],
    to: to ?? [],
    cc: cc ?? [],
    replyTo: replyTo ?? [],
    mailSubject: mailSubject === undefined ? null : decodeWords(mailSubject),
    date: parseMailDate(fieldOf(fields, "date")),
    messageId: fieldOf(fields, "message-id")?.trim() || null,
    inReplyTo: fieldOf(fields, "in-reply-to")?.trim() || null,
    references: fieldOf(fields, "references")?.match(/<[^<>\s]{1,998}>/g) ?? [],
    autoSubmitted: automatic?.value ?? null,
    automaticBecause: automatic?.because ?? null,
    text: text?.text ?? null,
    html: needsHtml ? (html?.text ?? null) : null,
    textTruncated: text?.truncated === true || html?.truncated === true,
    headers: fields.map(({ writtenName, value }) => ({ name: writtenName, value: decodeWords(value) })),
    attachments: parts.filter((part) => part !== textPart && part !== htmlPart && isAttachment(part)).map(attachmentOf),
    size: buffer.length,
    identity: {
      messageId: fieldOf(fields, "message-id") ?? "",
      date: fieldOf(fields, "date") ?? "",
      from: fieldOf(fields, "from") ?? "",
      received: fieldOf(fields, "received") ?? "",
      bodySha256: hash("sha256", buffer.subarray(bodyStart)),
    },
  };
}

function allOf(fields: readonly RawField[], name: string): string | undefined {
  const values = fields.filter((field) => field.name === name).map(({ value }) => value);
  return values.length === 0 ? undefined : values.join(", ");
}

/** The first leaf of that type which the mail itself shows; what an enclosed mail shows is that mail's. */
function bodyOf(parts: readonly MailLeaf[], mediaType: string): MailLeaf | undefined {
  const isBody = (part: MailLeaf) =>
    part.mediaType === mediaType && part.disposition !== "attachment" && !part.forwarded && !part.encrypted;
  // Some mailers name even the body; a file beside a body without a name is none.
  return (
    parts.find((part) => isBody(part) && part.filename === null) ??
    parts.find((part, index) => index === 0 && isBody(part))
  );
}

/** A body in a charset that nobody here knows is no text: whoever knows it finds its bytes among the attachments. */
function decodable(part: MailLeaf | undefined): MailLeaf | undefined {
  return part?.fidelity() === "unknown-charset" ? undefined : part;
}

/** What a person would call an attachment: said so, named, no text that can be read, or neither text nor another form of the body. */
function isAttachment(part: MailLeaf): boolean {
  if (part.disposition === "attachment" || part.filename !== null) return true;
  if (part.charset !== null && part.mediaType.startsWith("text/") && part.fidelity() === "unknown-charset") return true;
  return !part.mediaType.startsWith("text/") && part.container !== "multipart/alternative";
}

function attachmentOf(part: MailLeaf): Attachment {
  const { filename, mediaType, longBase64 } = part;
  const digest = createHash("sha256");
  let size = 0;
  const read = (piece: Buffer) => {
    digest.update(piece);
    size += piece.length;
  };
  if (longBase64 === undefined) read(part.bytes);
  else readInPieces(longBase64, read);
  const content = longBase64 === undefined || size <= KEPT_DECODED_BYTES ? part.bytes : longBase64;
  return {
    part: part.part,
    filename,
    mediaType,
    size,
    sha256: digest.digest("hex"),
    bytes: content,
    ...(content === longBase64 && { isEncoded: true }),
  };
}

/** Whether a text could be longer than `maxBytes` of UTF-8, of which a UTF-16 unit takes three at most. */
const mayBeCut = (text: string | undefined, maxBytes: number) => (text?.length ?? 0) * 3 > maxBytes;

/** With LF as line ends, at most `maxBytes` of UTF-8, cut between two code points. */
function cut(decoded: string | undefined, maxBytes: number): { text: string; truncated: boolean } | undefined {
  if (decoded === undefined) return undefined;
  // Line ends of two characters become one: no more than twice as many are looked at, the rest of a long text is not copied.
  const start = decoded.slice(0, 2 * maxBytes + 2);
  const text = start.replace(/\r\n?/g, "\n");
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return { text, truncated: false };
  const bytes = Buffer.from(text.slice(0, maxBytes));
  let end = Math.min(maxBytes, bytes.length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return { text: bytes.toString("utf8", 0, end), truncated: true };
}
