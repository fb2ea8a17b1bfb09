/** The languages that pages for browsers are written in; the first one is spoken to everybody else. */
const LANGUAGES = ["en", "de", "es", "fr", "pt"] as const;
export type Language = (typeof LANGUAGES)[number];

const MAX_RANGES = 50;

/** `a;q=0.5, b` as names with their weights, lower case; what cannot be read counts as 0 (RFC 9110 §12.4.2). */
function rangesOf(header: string): { readonly name: string; readonly weight: number }[] {
  return header
    .split(",", MAX_RANGES)
    .map((range) => {
      const [name = "", ...parameters] = range.split(";").map((piece) => piece.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      const weight = q === undefined ? 1 : Number(q.slice(2));
      return { name, weight: weight >= 0 && weight <= 1 ? weight : 0 };
    })
    .filter(({ name }) => name !== "");
}

/**
 * Whether the sender would rather have HTML than JSON: a browser that leaves the page, and not a script, whose `*``/*`
 * takes both alike.
 *
 * Source: RFC 9110 §12.5.1.
 */
export function prefersHtml(accept: string): boolean {
  if (accept === "" || accept === "*/*") return false;
  const ranges = rangesOf(accept);
  const weightOf = (names: readonly string[]) => {
    for (const name of names) {
      const found = ranges.find((range) => range.name === name);
      if (found !== undefined) return found.weight;
    }
    return 0;
  };
  return weightOf(["text/html", "text/*", "*/*"]) > weightOf(["application/json", "application/*", "*/*"]);
}

/** The best of our languages for an `Accept-Language` (RFC 9110 §12.5.4; RFC 4647 §3.4 lookup). */
export function languageOf(acceptLanguage: string): Language {
  const wished = rangesOf(acceptLanguage)
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { name } of wished) {
    const primary = name.split("-", 1)[0];
    const found = LANGUAGES.find((language) => language === primary);
    if (found !== undefined) return found;
  }
  return LANGUAGES[0];
}
