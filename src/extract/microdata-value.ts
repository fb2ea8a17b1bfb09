import type { Element } from "./html-tree.ts";
import { attributeOf, textContentOf } from "./html-tree.ts";

/** Elements whose value is an address, and the attribute that holds it. */
const URL_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["audio", "src"],
  ["embed", "src"],
  ["iframe", "src"],
  ["img", "src"],
  ["source", "src"],
  ["track", "src"],
  ["video", "src"],
  ["a", "href"],
  ["area", "href"],
  ["link", "href"],
  ["object", "data"],
]);
/** Elements whose value stands in an attribute as it is. */
const PLAIN_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["meta", "content"],
  ["data", "value"],
  ["meter", "value"],
]);

/**
 * The value of a property element that is no item.
 *
 * Two departures: `content` counts on every element that has no better value, as W3C's HTML Microdata, Google and
 * countless shops have it; and blanks around a text are cut, which templates indent (WHATWG keeps them).
 *
 * Source: WHATWG HTML §5.2.4 ("Values").
 */
export function microdataValueOf(element: Element, baseUrl: string | undefined): string {
  const content = attributeOf(element, "content");
  const plain = PLAIN_ATTRIBUTES.get(element.tagName);
  if (plain !== undefined) return attributeOf(element, plain) ?? content ?? "";
  const urlAttribute = URL_ATTRIBUTES.get(element.tagName);
  if (urlAttribute !== undefined) {
    const url = attributeOf(element, urlAttribute);
    return url === undefined ? (content ?? "") : resolveUrl(url, baseUrl);
  }
  const dateTime = element.tagName === "time" ? attributeOf(element, "datetime") : undefined;
  return dateTime ?? content ?? textContentOf(element).trim();
}

/** An address made absolute; as it stands (without blanks around it) where that cannot be done: a mail has no address of its own. */
export function resolveUrl(url: string, baseUrl: string | undefined): string {
  const trimmed = url.trim();
  return URL.parse(trimmed, baseUrl)?.href ?? trimmed;
}
