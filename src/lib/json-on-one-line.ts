const STRING_OR_SPACE = /"[^"\\]*(?:\\.[^"\\]*)*"|[\t\n\r ]+/gs;

/**
 * The same JSON text without white space between its tokens, so that it stands on one line. Nothing else is touched: not a
 * digit of a number, not an escape, not the order of keys. `text` is valid JSON.
 */
export function onOneLine(text: string): string {
  return text.replace(STRING_OR_SPACE, (found) => (found.startsWith('"') ? found : ""));
}
