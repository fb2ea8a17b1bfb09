import type { HookOptions } from "../../model/hook-options.ts";

/**
 * Where a browser goes after its form was taken; undefined is the thank-you page.
 *
 * A form's own `_next` counts only when its origin stands in `origins`: otherwise anybody could send people wherever they
 * like under our name. What looks relative and is not (`//host`, `/\host`) becomes an origin of its own before it is
 * looked up, because the browser's own rules read it (WHATWG URL §4.4).
 */
export function redirectOf(
  { redirect, origins }: Pick<HookOptions, "redirect" | "origins">,
  next: string | undefined,
  publicUrl: string,
): string | undefined {
  // Tabs and line breaks vanish while a URL is parsed, and would stand in a header here.
  if (next !== undefined && !/[\p{Cc}\s]/u.test(next)) {
    const url = URL.parse(next, publicUrl);
    if (url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "")
      if (origins?.includes(url.origin) === true) return url.href;
  }
  // A header holds ASCII only; what was escaped already stays as it is.
  return redirect?.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}
