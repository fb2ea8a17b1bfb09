import { evaluateDmarc } from "mailauth/lib/dmarc/index.js";

import type { Proof, Verdict } from "../model/verdicts.ts";
import type { Lookup } from "./dns-lookups.ts";
import { isOneOwners } from "./organizational-domain.ts";

export interface DmarcQuestion {
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
  /** Domains for which SPF passed. */
  readonly spfDomains: readonly string[];
  /** Signatures that hold. */
  readonly signatures: readonly { readonly domain: string }[];
}

export interface DmarcReading {
  readonly verdict: Verdict;
  /** The one domain in From, lower case; `null` when there is none or more than one. */
  readonly authorDomain: string | null;
  /** Whether an aligned signature holds, and whether an aligned identifier of either kind does. */
  readonly dkimAligned: Proof;
  readonly aligned: Proof;
}

/** RFC 1035 §2.3.4. Translating a longer name of many letters takes time that grows with its square (mailauth 7.1.0). */
const MAX_DOMAIN_BYTES = 253;
/** More than any mail has authors; each costs something before the first look-up. */
const MAX_AUTHORS = 100;
const NOT_ONE_AUTHOR: DmarcReading = {
  verdict: { result: "permerror", domain: null, reason: "not-one-author" },
  authorDomain: null,
  dkimAligned: "not-met",
  aligned: "not-met",
};

/**
 * What the author's domain says about mail in its name, and whether something that was proved belongs to that domain.
 *
 * A domain without a policy record has no DMARC verdict (`none`), but its mail can be aligned all the same: what a hook
 * demands is an aligned pass (contract §2).
 *
 * Only what is proved for one owner's domains is looked at, by the public suffix list: the walks of RFC 9989 know the names
 * below which others register only where a record says so (`psd=y`), and most say nothing.
 *
 * Source: RFC 7489 §3.1, §3.2; RFC 9989 §4.10, §5.3.1.
 */
export async function checkDmarc(question: DmarcQuestion, lookup: Lookup): Promise<DmarcReading> {
  const { headerFrom, fromFields } = question;
  const domains = new Set(headerFrom.map((address) => address.slice(address.lastIndexOf("@") + 1).toLowerCase()));
  const [authorDomain = ""] = domains;
  const isOne = fromFields === 1 && domains.size === 1 && headerFrom.length <= MAX_AUTHORS;
  if (!isOne || authorDomain === "" || Buffer.byteLength(authorDomain) > MAX_DOMAIN_BYTES) return NOT_ONE_AUTHOR;
  const spfDomains = question.spfDomains.filter((domain) => isOneOwners(domain, authorDomain));
  const signatures = question.signatures.filter(({ domain }) => isOneOwners(domain, authorDomain));
  const { response, dkimAligned } = await evaluateDmarc({
    headerFrom: [...headerFrom],
    fromFields,
    spfDomains,
    dkimDomains: signatures.map((signature) => ({ ...signature })),
    resolver: lookup as (name: string, type: string) => Promise<string[]>,
  });
  if (response === false) return NOT_ONE_AUTHOR;
  const result = String(response.status.result);
  const policy = "policy" in response && typeof response.policy === "string" ? response.policy : null;
  const verdict = { result, domain: authorDomain, policy };
  if (result === "none") {
    const isSigned = signatures.length > 0;
    return {
      verdict,
      authorDomain,
      dkimAligned: isSigned ? "met" : "not-met",
      aligned: isSigned || spfDomains.length > 0 ? "met" : "not-met",
    };
  }
  if (result === "temperror") return { verdict, authorDomain, dkimAligned: "unknown", aligned: "unknown" };
  return {
    verdict,
    authorDomain,
    dkimAligned: (dkimAligned?.size ?? 0) > 0 ? "met" : "not-met",
    aligned: result === "pass" ? "met" : "not-met",
  };
}
