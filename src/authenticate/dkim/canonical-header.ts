import type { HeaderRow, MailHeader } from "../../model/mail-header.ts";

/** How much a signature lets a mail change on its way (RFC 6376 §3.4). */
export type Canonicalization = "simple" | "relaxed";

/**
 * One header field as a signature hashes it, without the line end behind it. Both are latin1, a character for each byte.
 *
 * `field` has CRLF as its line ends. Source: RFC 6376 §3.4.1, §3.4.2.
 */
export function canonicalField(field: string, how: Canonicalization): string {
  if (how === "simple") return field;
  const unfolded = field.includes("\n") ? field.replaceAll("\r\n", "") : field;
  const colon = unfolded.indexOf(":");
  // No Unicode here: a byte over 0x7f is one letter in a UTF-8 name, or none.
  const name = trimBlanks(unfolded.slice(0, colon)).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return `${withSingleBlanks(name)}:${withSingleBlanks(trimBlanks(unfolded.slice(colon + 1)))}`;
}

const withSingleBlanks = (text: string) => (/\t| {2}/.test(text) ? text.replace(/[ \t]+/g, " ") : text);

/** Without SP and HTAB at both ends. `trim` would take a no-break space, too, which is half of a letter in UTF-8. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const isBlank = (code: number) => code === 0x20 || code === 0x09;

/** Made once for each mail: its fields as its signatures hash them, each canonicalized once at most in either way. */
export class SignedFields {
  readonly #mail: Buffer;
  readonly #byName = new Map<string, HeaderRow[]>();
  readonly #canonical = { simple: new Map<HeaderRow, string>(), relaxed: new Map<HeaderRow, string>() };

  constructor(mail: Buffer, { fields }: MailHeader) {
    this.#mail = mail;
    for (const row of fields) {
      const rows = this.#byName.get(row.name);
      if (rows === undefined) this.#byName.set(row.name, [row]);
      else rows.push(row);
    }
  }

  /** As it came, but for line ends, which a relay may have made bare LF. */
  written(row: HeaderRow): string {
    const text = this.#mail.toString("latin1", row.start, row.end);
    return text.includes("\n") ? text.replace(/\r?\n/g, "\r\n") : text;
  }

  canonical(row: HeaderRow, how: Canonicalization): string {
    let text = this.#canonical[how].get(row);
    if (text === undefined) {
      text = canonicalField(this.written(row), how);
      this.#canonical[how].set(row, text);
    }
    return text;
  }

  /**
   * The rows that an `h=` list names, in its order: of repeated fields the lowest first, each at most once, so that they never
   * are more than the header has. A name that is left over stands for a field that must not be there (RFC 6376 §5.4.2).
   *
   * `own` is the signature's own field, which was not there when it signed.
   */
  select(names: readonly string[], own: HeaderRow): HeaderRow[] {
    const left = new Map<string, number>();
    const selected: HeaderRow[] = [];
    for (const name of names) {
      const rows = this.#byName.get(name);
      if (rows === undefined) continue;
      let at = left.get(name) ?? rows.length;
      if (rows[at - 1] === own) at -= 1;
      const row = rows[at - 1];
      if (row !== undefined) selected.push(row);
      left.set(name, Math.max(0, at - 1));
    }
    return selected;
  }
}
