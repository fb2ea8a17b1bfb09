/**
 * The longest line that mail may have (RFC 5322 §2.1.1). Postfix cuts there and goes on with CRLF and a blank
 * (smtp_line_length_limit, `man 5 postconf`), others with CRLF alone.
 */
const FULL_WIDTH = 998;
/**
 * Sendmail cuts near 990 with `!` before the line end (mailer flag L=990). The mark says more than the width, which
 * gateways behind it change by rewriting addresses: bounces of one cloud mail service came with 1,035 octets.
 */
const SENDMAIL_MIN = 900;
const SENDMAIL_MAX = 1_100;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const MARK = 0x21;

/** Bytes with lines put together again, and which relay had cut them. */
export interface Rejoined {
  readonly bytes: Buffer;
  readonly repair: "rejoined-998" | "rejoined-sendmail";
}

/**
 * The bytes of a text with lines put together again that a relay cut, and who cut them; `undefined` when no line looks cut.
 *
 * Bytes, not characters: relays count octets and cut characters in two. Only at exactly the width where relays cut, because
 * line ends and blanks elsewhere are the sender's own.
 */
export function rejoin(text: Uint8Array): Rejoined | undefined {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const bySendmail = joinWhere(bytes, (start, end) => bytes[end - 1] === MARK && inSendmailWidth(end - start), 1);
  if (bySendmail !== undefined) return { bytes: bySendmail, repair: "rejoined-sendmail" };
  const isFull = (start: number, end: number) => end - start === FULL_WIDTH;
  const cut = joinWhere(bytes, isFull, 0, !isCutHard(bytes));
  return cut === undefined ? undefined : { bytes: cut, repair: "rejoined-998" };
}

/**
 * Whether lines of full width go on without a blank: other mailers (Rust's lettre) put only a line end there, and then a blank
 * that stands there by chance is the sender's.
 */
function isCutHard(bytes: Buffer): boolean {
  let start = 0;
  for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, start)) {
    const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
    if (end - start === FULL_WIDTH && bytes[lf + 1] !== SPACE && lf + 1 < bytes.length) return true;
    start = lf + 1;
  }
  return false;
}

/** Takes the line ends out behind lines of the right kind, and where one must stand the blank that the next line begins with. */
function joinWhere(
  bytes: Buffer,
  isCut: (start: number, end: number) => boolean,
  dropAtEnd: number,
  needsBlank = true,
): Buffer | undefined {
  const pieces: Buffer[] = [];
  let kept = 0;
  let start = 0;
  for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, start)) {
    const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
    if ((!needsBlank || bytes[lf + 1] === SPACE) && isCut(start, end)) {
      pieces.push(bytes.subarray(kept, end - dropAtEnd));
      kept = needsBlank ? lf + 2 : lf + 1;
    }
    start = lf + 1;
  }
  if (pieces.length === 0) return undefined;
  pieces.push(bytes.subarray(kept));
  return Buffer.concat(pieces);
}

function inSendmailWidth(width: number): boolean {
  return width >= SENDMAIL_MIN && width <= SENDMAIL_MAX;
}
