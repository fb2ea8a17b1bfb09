import type { MailPart } from "../../src/model/mail-part.ts";
import { parseMail } from "../../src/parse/mail.ts";

const LIMITS = { parts: 1_000, mimeDepth: 50, headerBytes: 262_144, rfc822Depth: 8, textBytes: 65_536 };

/** One part of a mail as a test writes it. */
export interface WrittenPart {
  /** Its Content-Type, parameters included. */
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly disposition?: string;
}

/** A multipart mail of these parts, each in base64. */
export function mailOf(parts: readonly WrittenPart[], headers: readonly string[] = []): Buffer {
  const boundary = "=_boundary";
  const blocks = parts.map(({ type, body, disposition }) =>
    [
      `--${boundary}`,
      `Content-Type: ${type}`,
      ...(disposition === undefined ? [] : [`Content-Disposition: ${disposition}`]),
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(body as string)
        .toString("base64")
        .replace(/.{76}/g, "$&\r\n"),
    ].join("\r\n"),
  );
  const head = ["From: Shop <shop@shop.example>", "Subject: Order", "MIME-Version: 1.0", ...headers];
  const type = `Content-Type: multipart/mixed; boundary="${boundary}"`;
  return Buffer.from([...head, type, "", ...blocks, `--${boundary}--`, ""].join("\r\n"));
}

/** The leaves of that mail, as the parser finds them. */
export function partsOf(parts: readonly WrittenPart[], headers: readonly string[] = []): readonly MailPart[] {
  const parsing = parseMail(mailOf(parts, headers), LIMITS);
  if (parsing.kind === "limit") throw new Error(`a test's mail passes the limit ${parsing.limit}`);
  return parsing.parts;
}
