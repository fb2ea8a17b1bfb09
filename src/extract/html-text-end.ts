/** What ends the name of an end tag (WHATWG HTML §13.2.5.11, §13.2.5.14, §13.2.5.17). */
const TAG_NAME_END = /^[\t\n\f\r />]$/;

/** Where the text of an element without markup inside ends: at its end tag, in any case, or at the end of the page. */
export function textElementEnd(html: string, from: number, name: string): number {
  for (let at = html.indexOf("</", from); at >= 0; at = html.indexOf("</", at + 2)) {
    const end = at + 2 + name.length;
    if (TAG_NAME_END.test(html.charAt(end)) && html.slice(at + 2, end).toLowerCase() === name) return at;
  }
  return html.length;
}

/**
 * Where scripts end: at the first `</script`, but behind `<!-- … <script` only after that one's own `</script` (script
 * data double escaped state, WHATWG HTML §13.2.5.15 to §13.2.5.31).
 */
export class ScriptEnds {
  readonly #html: string;
  /** Set once a double escape ran into the end of the text: every later one would, and each search costs the whole rest. */
  #isPlain = false;
  /** Where the next comment mark stands; asked once for all scripts before it. */
  #comment = 0;

  constructor(html: string) {
    this.#html = html;
  }

  endOf(from: number): number {
    const plainEnd = textElementEnd(this.#html, from, "script");
    if (this.#isPlain || plainEnd === this.#html.length) return withoutCutTag(this.#html, from, plainEnd);
    if (this.#comment < from) {
      const found = this.#html.indexOf("<!--", from);
      this.#comment = found < 0 ? this.#html.length : found;
    }
    if (this.#comment > plainEnd) return plainEnd;
    const escapedEnd = this.#escapedEnd(this.#comment);
    if (escapedEnd !== undefined) return escapedEnd;
    // A browser would give the whole rest of the page to this script; people meant the first end tag.
    this.#isPlain = true;
    return plainEnd;
  }

  #escapedEnd(from: number): number | undefined {
    const token = /<!--|-->|<script(?=[\s/>])|<\/script(?=[\s/>])/gi;
    token.lastIndex = from;
    let state: "data" | "escaped" | "double" = "data";
    for (let found = token.exec(this.#html); found !== null; found = token.exec(this.#html)) {
      const text = found[0];
      if (text === "<!--") {
        if (state === "data") state = "escaped";
        // The dashes of "<!--" may be those of "-->" as well.
        token.lastIndex = found.index + 2;
      } else if (text === "-->") state = "data";
      else if (text.length === "<script".length) state = state === "data" ? "data" : "double";
      else if (state === "double") state = "escaped";
      else return found.index;
    }
    return undefined;
  }
}

/** The text of a script that the end of the page cuts off, without a last `</script` that lacks its `>`. */
function withoutCutTag(html: string, from: number, end: number): number {
  if (end !== html.length) return end;
  const cut = html.length - "</script".length;
  return cut >= from && html.slice(cut).toLowerCase() === "</script" ? cut : end;
}
