// eslint-disable-next-line no-control-regex -- raw control characters are the damage
const CONTROL = /[\u0000-\u0009\u000b\u000c\u000e-\u001f]/g;

/** A string with raw control characters written as escapes; line breaks are another repair's. */
export function escapeControlCharacters(string: string): string {
  return string.replace(CONTROL, (character) => JSON.stringify(character).slice(1, -1));
}

/** A string with raw line breaks written as `\n`; CRLF is one line break. */
export function escapeLineBreaks(string: string): string {
  if (!/[\r\n]/.test(string)) return string;
  return string.replace(/\\(\r?\n)|\\[^\r\n]|\r\n|\r|\n/g, (whole, continued: string | undefined) => {
    // A backslash before a raw line break is JavaScript's line continuation: it stands for nothing.
    if (continued !== undefined) return "";
    return whole.startsWith("\\") ? whole : "\\n";
  });
}

/** A string in which `\'` is a plain apostrophe: JavaScript knows that escape, JSON does not. */
export function plainApostrophes(string: string): string {
  if (!string.includes("\\'")) return string;
  return string.replace(/\\([\s\S])/g, (whole, escaped: string) => (escaped === "'" ? "'" : whole));
}
