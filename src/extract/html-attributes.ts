import { decodeHtmlEntities } from "./repairs/html-entities.ts";

const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;

/** The attributes of a start tag, names in lower case; of duplicates the first counts (WHATWG HTML §13.2.5.33). */
export function attributesOf(tagBody: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single, bare] of tagBody.matchAll(ATTRIBUTE)) {
    const lower = name.toLowerCase();
    if (!attributes.has(lower)) attributes.set(lower, decodeHtmlEntities(double ?? single ?? bare ?? ""));
  }
  return attributes;
}

/** Where the tag that opens at `from` ends, quotes respected; the index behind `>`, or the end of the text. */
export function tagEnd(html: string, from: number): number {
  let quote = "";
  let afterEquals = false;
  for (let i = from; i < html.length; i += 1) {
    const character = html[i] ?? "";
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === ">") return i + 1;
    else if ((character === '"' || character === "'") && afterEquals) quote = character;
    else if (character.trim() !== "") afterEquals = character === "=";
  }
  return html.length;
}
