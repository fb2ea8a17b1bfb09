// Everywhere, not only in tags: a key may stand in a comment for Outlook, in escaped markup, or in a tag cut off by a limit.
const KEY_ATTRIBUTE = /(data-kustomer-key\s*=\s*)(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s>]*)/gi;

/** HTML with the values of `data-kustomer-key` taken out, for `mail.html`: keys never reach an event (contract §5). */
export function removeHookKeys(html: string): string {
  return html.replace(KEY_ATTRIBUTE, '$1""');
}
