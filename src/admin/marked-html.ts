import type { Html } from "./html.ts";
import { html } from "./html.ts";

// Bounded everywhere: the source is a stranger's, and an unclosed tag must not be searched for again and again.
const PLACE =
  /<script\b([^<>]{0,1000})>|\bitem(?:scope|type|prop|id|ref)\b(?:\s{0,9}=\s{0,9}(?:"[^"]{0,1000}"|'[^']{0,1000}'|[^\s>]{1,1000}))?/gi;
const DATA_TYPE = /\btype\s{0,9}=\s{0,9}["']?application\/(?:[\w.-]{1,80}\+)?json\b/i;

/** A mail's HTML source with the places marked where data stands. For people's eyes: what was taken is decided elsewhere. */
export function markedHtml(source: string): Html {
  const pieces: Html[] = [];
  const lower = source.toLowerCase();
  const places = new RegExp(PLACE);
  let at = 0;
  for (let match = places.exec(source); match !== null; match = places.exec(source)) {
    const [found, attributes] = match;
    if (attributes !== undefined && !DATA_TYPE.test(attributes)) continue;
    const close = attributes === undefined ? match.index + found.length : lower.indexOf("</script", match.index);
    const end = close < 0 ? source.length : close;
    pieces.push(html`${source.slice(at, match.index)}<mark>${source.slice(match.index, end)}</mark>`);
    at = end;
    places.lastIndex = Math.max(end, places.lastIndex);
  }
  return html`${pieces}${source.slice(at)}`;
}
