/** The fields of a header block that say something about the sender. */
export interface SenderFields {
  /** Values of the From fields, unfolded, as bytes in latin1. */
  readonly from: readonly string[];
  /** Values of the Authentication-Results fields, topmost first. */
  readonly authenticationResults: readonly string[];
  readonly signatures: number;
  readonly seals: number;
  /** The block is longer than allowed, so nothing was read. */
  readonly isTooLong: boolean;
  /** Where the body begins. */
  readonly bodyStart: number;
}

const MAX_HEADER_BYTES = 256 * 1024;
const FIELD =
  /^(from|authentication-results|dkim-signature|arc-seal|arc-message-signature)[ \t]*:((?:[^\r\n]*(?:\r?\n[ \t])?)*)/gim;

/**
 * Looks through the header block for the fields on which authentication depends, without reading the others.
 *
 * Most mail on a path between machines is unsigned: then this is all that is read, and the far dearer verifier is left
 * out. Lines are cut at LF, because the mail door let only CRLF through, or bare LF from a trusted relay. Linear.
 */
export function senderFieldsOf(bytes: Uint8Array): SenderFields {
  const mail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyStart = headerEnd(mail);
  const found = { from: [] as string[], authenticationResults: [] as string[], signatures: 0, seals: 0 };
  if (bodyStart > MAX_HEADER_BYTES) return { ...found, isTooLong: true, bodyStart };
  for (const [, name = "", value = ""] of mail.toString("latin1", 0, bodyStart).matchAll(FIELD)) {
    const unfolded = value.replace(/\r?\n/g, "").trim();
    if (/^from$/i.test(name)) found.from.push(unfolded);
    else if (/^authentication-results$/i.test(name)) found.authenticationResults.push(unfolded);
    else if (/^dkim/i.test(name)) found.signatures += 1;
    else found.seals += 1;
  }
  return { ...found, isTooLong: false, bodyStart };
}

function headerEnd(mail: Buffer): number {
  if (mail[0] === 0x0a) return 1;
  if (mail[0] === 0x0d && mail[1] === 0x0a) return 2;
  for (let at = mail.indexOf(0x0a); at >= 0 && at <= MAX_HEADER_BYTES; at = mail.indexOf(0x0a, at + 1)) {
    if (mail[at + 1] === 0x0a) return at + 2;
    if (mail[at + 1] === 0x0d && mail[at + 2] === 0x0a) return at + 3;
  }
  return mail.length;
}

/** The one address of a From field that is written plainly; `undefined` when it takes a real parser to say. */
export function plainAddressOf(from: string): string | undefined {
  const written = /^(?:[\w .'&!-]*|"[^"\\<>]*" *)<([^\s<>"(),:;@]+@[^\s<>"(),:;@]+)>$/.exec(from)?.[1];
  return written ?? /^[^\s<>"(),:;@]+@[^\s<>"(),:;@]+$/.exec(from)?.[0];
}
