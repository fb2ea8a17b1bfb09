/** Percent-encoded UTF-8 as text, `undefined` when its escapes are damaged. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
