import type { Tag } from "./html-tokens.ts";
import { attributesIn } from "./html-tokens.ts";
import { decodeHtmlEntities } from "./repairs/html-entities.ts";

/**
 * The attributes of a tag, names in lower case, entities in values decoded; of duplicates the first counts.
 *
 * Source: WHATWG HTML §13.2.5.33 (duplicates), §13.2.5.36 to §13.2.5.38 (values; NUL becomes U+FFFD).
 */
export function attributesOf(html: string, tag: Pick<Tag, "attributes" | "end">): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const { name, valueStart, valueEnd } of attributesIn(html, tag)) {
    const lower = withoutNul(name.toLowerCase());
    if (!attributes.has(lower)) attributes.set(lower, withoutNul(decodeHtmlEntities(html.slice(valueStart, valueEnd))));
  }
  return attributes;
}

function withoutNul(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text;
}
