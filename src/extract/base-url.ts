import { attributesOf, tagEnd } from "./html-attributes.ts";

const BASE_TAG = /<base(?=[\s/>])/i;

/** The base that a page's `<base href>` gives, resolved against `documentUrl`; `documentUrl` itself when there is none. */
export function baseUrlOf(html: string, documentUrl: string | undefined): string | undefined {
  const found = BASE_TAG.exec(html);
  if (found === null) return documentUrl;
  const from = found.index + found[0].length;
  const href = attributesOf(html.slice(from, tagEnd(html, from) - 1)).get("href");
  if (href === undefined) return documentUrl;
  return URL.parse(href, documentUrl)?.href ?? documentUrl;
}
