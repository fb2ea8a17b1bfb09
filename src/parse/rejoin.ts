/** Postfix cuts lines at 998 octets and goes on with CRLF and a blank (smtp_line_length_limit, `man 5 postconf`). */
const POSTFIX_WIDTH = 998;
/**
 * Sendmail cuts near 990 with `!` before the line end (mailer flag L=990). The mark says more than the width, which
 * gateways behind it change by rewriting addresses: bounces of one cloud mail service came with 1,035 octets.
 */
const SENDMAIL_MIN = 900;
const SENDMAIL_MAX = 1_100;

/**
 * The text with lines put together again that a relay cut, and who cut them; `undefined` when no line looks cut.
 *
 * Only at exactly the width where relays cut, because a blank at a line's start is mostly the sender's own.
 */
export function rejoin(
  text: string,
): { readonly text: string; readonly repair: "rejoined-998" | "rejoined-sendmail" } | undefined {
  const lines = text.split(/\r?\n/);
  const bySendmail = joinWhere(
    lines,
    (line, next) => line.endsWith("!") && inSendmailWidth(line) && next.startsWith(" "),
    1,
  );
  if (bySendmail !== undefined) return { text: bySendmail, repair: "rejoined-sendmail" };
  const byPostfix = joinWhere(lines, (line, next) => next.startsWith(" ") && octets(line) === POSTFIX_WIDTH, 0);
  return byPostfix === undefined ? undefined : { text: byPostfix, repair: "rejoined-998" };
}

function joinWhere(
  lines: readonly string[],
  isCut: (line: string, next: string) => boolean,
  dropAtEnd: number,
): string | undefined {
  const pieces: string[] = [];
  let joined = false;
  let continues = false;
  for (const [index, line] of lines.entries()) {
    const next = lines[index + 1];
    const cut = next !== undefined && isCut(line, next);
    const own = continues ? line.slice(1) : line;
    pieces.push(cut ? own.slice(0, own.length - dropAtEnd) : own + (next === undefined ? "" : "\n"));
    joined ||= cut;
    continues = cut;
  }
  return joined ? pieces.join("") : undefined;
}

function inSendmailWidth(line: string): boolean {
  const width = octets(line);
  return width >= SENDMAIL_MIN && width <= SENDMAIL_MAX;
}

function octets(line: string): number {
  // A line this short cannot have been cut, whatever its characters.
  return line.length * 4 < SENDMAIL_MIN ? 0 : Buffer.byteLength(line);
}
