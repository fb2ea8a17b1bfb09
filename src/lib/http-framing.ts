import type { IncomingMessage } from "node:http";

/** `uri-host [ ":" port ]` of RFC 9110 §7.2, as far as its characters go. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/**
 * What makes a request one that two parsers may read differently, though Node's lets it through; undefined for all others.
 *
 * A proxy in front that believes another Host, or another end of the body, would be told one thing and we another. Sources:
 * RFC 9112 §3.2 (one Host, and a valid one), §6.1 (codings that are not known, and HTTP/1.0, which has none).
 */
export function ambiguityOf({ rawHeaders, headers, httpVersion }: IncomingMessage): string | undefined {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === "host") hosts += 1;
  if (hosts > 1) return "There is more than one Host header";
  if (!HOST.test(headers.host ?? "")) return "The Host header is not valid";
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  if (httpVersion === "1.0") return "HTTP/1.0 has no Transfer-Encoding";
  return coding.trim().toLowerCase() === "chunked" ? undefined : "Only chunked is known as Transfer-Encoding";
}
