import type { Tag } from "./html-tokens.ts";
import { scanTags, tagNames } from "./html-tokens.ts";

/** Elements that the HTML parser closes or moves against the nesting that the author wrote. */
const MOVED = tagNames("p", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption");

/**
 * The page with elements that a parser would close or move renamed to ones that it leaves where they stand, wherever
 * start and end tag pair up.
 *
 * Google's own example of e-mail markup has a `<div>` inside a `<p itemscope>`: the paragraph ends there, and half of the
 * reservation falls out of its item. In mails `<meta itemprop>` between table rows is carried out of the table. Offsets
 * change. Source: WHATWG HTML §13.2.6.4.7 ("close a p element"), §13.2.6.1 ("foster parenting").
 */
export function withAuthorNesting(html: string): string {
  const open = new Map<string, Tag[]>();
  const renamed: Tag[] = [];
  scanTags(html, MOVED, (tag) => {
    const same = open.get(tag.name) ?? [];
    open.set(tag.name, same);
    if (!tag.closes) same.push(tag);
    else {
      const start = same.pop();
      if (start !== undefined) renamed.push(start, tag);
    }
  });
  renamed.sort((a, b) => a.start - b.start);
  const pieces: string[] = [];
  let at = 0;
  for (const { name, closes, start, attributes } of renamed) {
    pieces.push(html.slice(at, start), closes ? "</x-" : "<x-", name);
    at = attributes;
  }
  pieces.push(html.slice(at));
  return pieces.join("");
}
