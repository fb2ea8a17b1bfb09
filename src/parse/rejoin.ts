/** Postfix cuts lines at 998 octets and goes on with CRLF and a blank (smtp_line_length_limit, `man 5 postconf`). */
const POSTFIX_WIDTH = 998;
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
 * a blank at a line's start is mostly the sender's own.
 */
export function rejoin(text: Uint8Array): Rejoined | undefined {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const bySendmail = joinWhere(bytes, (start, end) => bytes[end - 1] === MARK && inSendmailWidth(end - start), 1);
  if (bySendmail !== undefined) return { bytes: bySendmail, repair: "rejoined-sendmail" };
  const byPostfix = joinWhere(bytes, (start, end) => end - start === POSTFIX_WIDTH, 0);
  return byPostfix === undefined ? undefined : { bytes: byPostfix, repair: "rejoined-998" };
}

/** Takes the line ends out behind lines of the right kind where the next line begins with a blank, and that blank. */
function joinWhere(
  bytes: Buffer,
  isCut: (start: number, end: number) => boolean,
  dropAtEnd: number,
): Buffer | undefined {
  const pieces: Buffer[] = [];
  let kept = 0;
  let start = 0;
  for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, start)) {
    const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
    if (bytes[lf + 1] === SPACE && isCut(start, end)) {
      pieces.push(bytes.subarray(kept, end - dropAtEnd));
      kept = lf + 2;
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
