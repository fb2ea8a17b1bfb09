import { domainToASCII } from "node:url";

import { getDomain } from "tldts";

/** The suffixes under which anybody can register a name count, `github.io` too, and not only those of registries. */
const SUFFIXES = { allowPrivateDomains: true, extractHostname: false, validateHostname: false } as const;

/**
 * Whether two domains are one owner's: they are the same, or have the same organizational domain, the one label below a
 * public suffix. A public suffix itself speaks for nobody but itself.
 *
 * Source: RFC 7489 §3.1.1, §3.2; the Public Suffix List, as tldts brings it.
 */
export function isOneOwners(one: string, other: string): boolean {
  const [a, b] = [one, other].map(normalized);
  if (a === undefined || b === undefined || a === "" || b === "") return false;
  if (a === b) return true;
  const owner = getDomain(a, SUFFIXES);
  return owner !== null && owner === getDomain(b, SUFFIXES);
}

/** Lower case, umlauts as they travel in DNS, without the dot of the root. */
function normalized(domain: string): string {
  return domainToASCII(domain.replace(/\.$/, "").toLowerCase());
}
