/** HTML that was made by {@link html}: every value in it has been escaped. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template: text is escaped, `Html` stands as it is, lists are joined, nothing is left out. */
export type HtmlValue = Html | string | number | boolean | null | undefined | readonly HtmlValue[];

/**
 * A piece of HTML. Every value is escaped for text and for attributes in double quotes; `false`, `null` and `undefined`
 * leave nothing.
 *
 * A security boundary: everything that the admin page shows came from strangers. There is no way to put text in raw.
 *
 * @example
 * html`<p title="${subject}">${subject}</p>`
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((text, index) => text + written(values[index])).join(""));
}

function written(value: HtmlValue): string {
  if (value === null || value === undefined || typeof value === "boolean") return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(written).join("");
  return escapeHtml(String(value));
}

// The backquote and = too: a forgotten pair of quotes must not be a way out.
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

function escapeHtml(text: string): string {
  // NUL and the other controls are no text in HTML; they are shown as the replacement character.
  return text
    .replace(/\p{Cc}/gu, (control) => (/[\t\n\r]/.test(control) ? control : "\uFFFD"))
    .replace(/[&<>"'`]/g, (character) => ESCAPES[character] ?? "");
}
