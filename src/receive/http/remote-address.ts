import type { BlockList } from "node:net";
import { isIP } from "node:net";

import type { RequestHeaders } from "../../model/request.ts";
import { headerOf } from "../../model/request.ts";

/**
 * Who sent a request: the peer, or, when the peer is a proxy that we trust, the last address in `Forwarded` or
 * `X-Forwarded-For` that is not such a proxy itself. Anybody may write these headers, so they are read from the end and
 * only as far as trust goes.
 *
 * Source: RFC 7239 §4 to §7; MDN, "X-Forwarded-For", "Selecting an IP address".
 */
export function remoteAddressOf(peer: string, headers: RequestHeaders, trusted: BlockList): string {
  const address = plainAddress(peer);
  if (!isTrusted(address, trusted)) return address;
  const forwarded = headerOf(headers, "forwarded");
  const chain = forwarded === "" ? splitList(headers["x-forwarded-for"]) : forwardedFor(forwarded);
  let last = address;
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    const next = plainAddress(chain[i] ?? "");
    // "unknown" and obfuscated identifiers (RFC 7239 §6.2): behind the last proxy that says who it was nobody knows more.
    if (isIP(next) === 0) return last;
    last = next;
    if (!isTrusted(next, trusted)) return next;
  }
  return last;
}

function splitList(value: string | readonly string[] | undefined): string[] {
  const text = typeof value === "string" ? value : (value ?? []).join(",");
  return text === "" ? [] : text.split(",");
}

function forwardedFor(value: string): string[] {
  return value.split(",").map((element) => /(?:^|;)\s*for\s*=\s*"?([^";,\s]+)/i.exec(element)?.[1] ?? "");
}

/** Without port, brackets and the v4-in-v6 prefix. */
function plainAddress(text: string): string {
  const trimmed = text.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^([\d.]+):\d+$/, "$1");
  return bare.replace(/^::ffff:(?=\d+\.)/i, "");
}

export function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 4 ? "ipv4" : "ipv6");
}
