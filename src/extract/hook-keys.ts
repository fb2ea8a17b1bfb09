// Everywhere, not only in tags: a key may stand in a comment for Outlook, in escaped markup, or in a tag cut off by a limit.
const KEY_ATTRIBUTE = /(data-kustomer-key\s*=\s*)(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s>]*)/gi;

const KEY_NAME = /data-kustomer-key/i;
const LARGEST_INSIDE_AN_EVENT_BYTES = 32 * 1024;

/** HTML, or text that quotes its source, with the values of `data-kustomer-key` taken out: keys never reach an event. */
export function removeHookKeys(html: string): string {
  return html.replace(KEY_ATTRIBUTE, '$1""');
}

/** Whether such an attribute stands in an attachment that is small enough to travel inside an event, in ASCII or UTF-16. */
export function holdsHookKey(bytes: Uint8Array): boolean {
  if (bytes.length > LARGEST_INSIDE_AN_EVENT_BYTES) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return KEY_NAME.test(text.includes("\0") ? text.replaceAll("\0", "") : text);
}
