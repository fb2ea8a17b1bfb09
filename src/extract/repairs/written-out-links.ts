import { percentDecoded } from "../../lib/percent-decoded.ts";

/** What stands around a link that a mail client wrote out, and what ends it: Outlook writes angle brackets, others the others. */
const ENDS: Readonly<Record<string, RegExp>> = { "<": /[<>\n]/, "[": /[[\]\n]/, "(": /[()\n]/ };
const CLOSING: Readonly<Record<string, string>> = { "<": ">", "[": "]", "(": ")" };
const LINK = /[<[(](?:mailto:|https?:\/\/|ftp:\/\/|tel:)/gi;
const MAX_LINK_LENGTH = 4_096;
/** Blanks between an address and its link; clients wrap long lines there. */
const MAX_BLANKS = 80;

/**
 * The text without links that a mail client wrote out behind the address they lead to, when it made plain text of a page:
 * `ada@shop.example<mailto:ada@shop.example>`, `www.shop.example <https://www.shop.example/>`. Linear.
 *
 * Only where link and address say the same: in `Shop <https://shop.example/>` the link is all there is of it.
 */
export function takeOffLinks(text: string): string {
  const kept: string[] = [];
  let from = 0;
  for (const { index } of text.matchAll(LINK)) {
    if (index < from) continue;
    const open = text[index] ?? "";
    const close = text.slice(index + 1, index + MAX_LINK_LENGTH).search(ENDS[open] ?? /\n/);
    const end = index + 1 + close;
    if (close < 0 || text[end] !== CLOSING[open]) continue;
    const start = addressEnd(text, index, from);
    if (!names(text, start, text.slice(index + 1, end), from)) continue;
    kept.push(text.slice(from, start), isQuoted(text, start) ? '"' : "");
    from = end + 1;
  }
  return from === 0 ? text : kept.join("") + text.slice(from);
}

/** Where the address in front of a link ends: blanks do not belong to it, nor does a quote that the link took along. */
function addressEnd(text: string, link: number, from: number): number {
  let at = link;
  const least = Math.max(from, link - MAX_BLANKS);
  while (at > least && /\s/.test(text[at - 1] ?? "")) at -= 1;
  return at > from && text[at - 1] === '"' ? at - 1 : at;
}

function isQuoted(text: string, addressEnds: number): boolean {
  return text[addressEnds] === '"';
}

/** Whether the text in front of `end` is the address that a link leads to. */
function names(text: string, end: number, link: string, from: number): boolean {
  if (/^tel:/i.test(link)) return isNumber(text.slice(Math.max(from, end - MAX_NUMBER_LENGTH), end), link);
  for (const address of addressesOf(link)) {
    const start = end - address.length;
    if (address === "" || start < from || text.slice(start, end).toLowerCase() !== address) continue;
    // In `x@shop.example<mailto:shop.example>` it is only the end of another one.
    if (start === from || !/[\w@.%+-]/.test(text[start - 1] ?? "") || address.includes("://")) return true;
  }
  return false;
}

const MAX_NUMBER_LENGTH = 40;

/** Whether a text ends in the number of a `tel:` link; people write blanks and brackets between its digits (RFC 3966 §5.1.1). */
function isNumber(before: string, link: string): boolean {
  const written = /[+\d][\d ()./-]{0,39}$/.exec(before)?.[0] ?? "";
  const digits = (number: string) => number.replace(/[^+\d]/g, "");
  return digits(written) !== "" && digits(written) === digits(link.replace(/;.*$/s, ""));
}

/** How the address of a link may be written in front of it, in lower case. */
function addressesOf(link: string): ReadonlySet<string> {
  // A client that made the link itself may have taken the quote behind the address along.
  const whole = link
    .trim()
    .toLowerCase()
    .replace(/(?:%22|")[,;%\w]{0,6}$/, "");
  const forms = new Set([whole]);
  const target = SAFE_LINK.exec(whole)?.[1];
  for (const one of target === undefined ? [whole] : [whole, percentDecoded(target) ?? target]) {
    for (const form of [one, percentDecoded(one) ?? one, one.replace(/^(?:mailto|tel):/, "").replace(/\?.*$/s, "")]) {
      for (const bare of [form, form.replace(/^(?:mailto:|tel:|https?:\/\/|ftp:\/\/)/, "")]) {
        forms.add(bare);
        forms.add(bare.replace(/\/$/, ""));
        // JSON may write a slash or an ampersand as an escape.
        forms.add(bare.replaceAll("/", "\\/"));
      }
    }
  }
  return forms;
}

/** Outlook leads every link by way of its own server, which names the real one. */
const SAFE_LINK = /^https:\/\/[a-z0-9.-]{1,80}\.safelinks\.protection\.outlook\.com\/\?url=([^&]+)/;
