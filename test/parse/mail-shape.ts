import { isAscii } from "node:buffer";

import type { MimeLimits } from "../../src/parse/mail.ts";
import { parseMail } from "../../src/parse/mail.ts";

/** The limits of contract §4. */
const LIMITS: MimeLimits = {
  parts: 1_000,
  mimeDepth: 50,
  headerBytes: 256 * 1024,
  rfc822Depth: 8,
  textBytes: 64 * 1024,
};

const OWN_FIELDS = new Set(["content-type", "content-transfer-encoding", "content-disposition", "mime-version"]);

/** What a mail was taken for, as a fixture's expectation says it; nothing in it depends on the kind of line ends. */
export function mailShape(bytes: Uint8Array): unknown {
  const parsing = parseMail(bytes, LIMITS);
  if (parsing.kind === "limit") return parsing;
  const { summary, parts, notes } = parsing;
  const { from, to, cc, replyTo, mailSubject, date, inReplyTo, references, autoSubmitted, text, html } = summary;
  return {
    parts: parts.map((part) => ({
      part: part.part,
      mediaType: part.mediaType,
      filename: part.filename,
      disposition: part.disposition,
      ...(part.forwarded && { forwarded: true }),
      ...(part.encrypted && { encrypted: true }),
      text: isText(part.mediaType) ? oneKindOfLineEnds(part.text()) : bytesShape(Buffer.from(part.bytes)),
      ...rejoinedShape(part.rejoined()),
    })),
    summary: { from, to, cc, replyTo, mailSubject, date, inReplyTo, references, autoSubmitted, text, html },
    attachments: summary.attachments.map(({ part, filename, mediaType }) => `${part} ${filename ?? "-"} ${mediaType}`),
    otherHeaders: summary.headers
      .filter(({ name }) => !OWN_FIELDS.has(name.toLowerCase()))
      .map(({ name, value }) => `${name}: ${value}`),
    notes,
  };
}

function isText(mediaType: string): boolean {
  return /^text\/|json$|^message\//.test(mediaType);
}

function oneKindOfLineEnds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/** Text of whatever type as text, everything else in hex. */
function bytesShape(bytes: Buffer): string {
  return isAscii(bytes) && !bytes.includes(0) ? oneKindOfLineEnds(bytes.toString("latin1")) : bytes.toString("hex");
}

function rejoinedShape(rejoined: { readonly text: string; readonly repair: string } | undefined) {
  if (rejoined === undefined) return {};
  return { rejoined: { repair: rejoined.repair, text: oneKindOfLineEnds(rejoined.text) } };
}
