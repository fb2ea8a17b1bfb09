import { attributesOf } from "./html-attributes.ts";
import { scanTags, tagNames } from "./html-tokens.ts";

const BASES = tagNames("base");

/**
 * The base that a page's first `<base href>` gives, resolved against `documentUrl`; `documentUrl` itself when there is
 * none or it is no address. Source: WHATWG HTML §4.2.3.
 */
export function baseUrlOf(html: string, documentUrl: string | undefined): string | undefined {
  if (!/<base/i.test(html)) return documentUrl;
  let href: string | undefined;
  scanTags(html, BASES, (tag) => {
    if (!tag.inTemplate && !tag.closes) href ??= attributesOf(html, tag).get("href");
  });
  if (href === undefined) return documentUrl;
  const base = URL.parse(href.trim(), documentUrl);
  // "data:" and "javascript:" bases are refused (§4.2.3, "set the frozen base URL", step 3).
  return base === null || base.protocol === "data:" || base.protocol === "javascript:" ? documentUrl : base.href;
}
