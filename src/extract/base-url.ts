import type { MailPart } from "../model/mail-part.ts";
import { attributesOf } from "./html-attributes.ts";
import { scanTags, tagNames } from "./html-tokens.ts";

const BASES = tagNames("base");

/** The base of what stands in a part, `{}` when nothing says one: Content-Location, else the address of the whole. */
export function baseOf(
  { location }: MailPart,
  { baseUrl }: { readonly baseUrl?: string },
): { readonly baseUrl?: string } {
  const base = location === null ? baseUrl : (hierarchical(location, baseUrl) ?? baseUrl);
  return base === undefined ? {} : { baseUrl: base };
}

/** A longer one is nobody's address, and each relative one would cost as much again. */
const MAX_BASE_LENGTH = 8_192;

/** An address against which others can be resolved; `undefined` for `cid:` and its like, or what is no address. */
function hierarchical(address: string, base: string | undefined): string | undefined {
  const url = address.length > MAX_BASE_LENGTH ? null : URL.parse(address, base);
  return url === null || /^(?:data|javascript|thismessage):$/.test(url.protocol) || !URL.canParse("x", url.href)
    ? undefined
    : url.href;
}

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
  // "data:" and "javascript:" bases are refused (§4.2.3, "set the frozen base URL", step 3).
  return hierarchical(href.trim(), documentUrl) ?? documentUrl;
}
