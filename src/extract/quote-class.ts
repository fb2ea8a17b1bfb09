/** Classes that mail programs give to the element around the mail that a reply quotes. */
const QUOTE_CLASS =
  /(?:^|\s)(?:gmail_quote|gmail_quote_container|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|moz-forward-container)(?:\s|$)/i;

/** Whether a `class` attribute marks the quote of a reply (Gmail, Yahoo, Proton, Tutanota, Zoho, Thunderbird). */
export function isQuoteClass(classes: string | undefined): boolean {
  return classes !== undefined && QUOTE_CLASS.test(classes);
}
