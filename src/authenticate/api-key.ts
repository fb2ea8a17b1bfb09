import type { RequestHeaders } from "../model/request.ts";
import { headerOf } from "../model/request.ts";

/**
 * The API key that a request carries, "" when it carries none (contract §3): `Authorization: Bearer`, HTTP Basic with the
 * key as password, or `X-API-Key`. Never the query string, which proxies log.
 *
 * Source: RFC 6750 §2.1, RFC 7617 §2.
 */
export function presentedKey(headers: RequestHeaders): string {
  const authorization = headerOf(headers, "authorization");
  const [, bearer] = /^bearer +(\S+) *$/i.exec(authorization) ?? [];
  if (bearer !== undefined) return bearer;
  const [, basic] = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(authorization) ?? [];
  if (basic !== undefined) {
    const pair = Buffer.from(basic, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    if (colon >= 0 && colon + 1 < pair.length) return pair.slice(colon + 1);
  }
  return headerOf(headers, "x-api-key").trim();
}
