/**
 * A text without any of these characters at its ends. A loop: `/[…]+$/` tries every place of a long run in the middle
 * again and again, and a header of 60 KB took ten seconds.
 */
export function trimAll(text: string, characters: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && characters.includes(text[start] ?? "")) start += 1;
  while (end > start && characters.includes(text[end - 1] ?? "")) end -= 1;
  return text.slice(start, end);
}

/** Quotes and blanks, which careless mailers leave around tokens. */
export const QUOTES_AND_BLANKS = "\"' \t\r\n\f\v\u00a0\ufeff";
