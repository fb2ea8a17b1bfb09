import { spf } from "mailauth/lib/spf/index.js";

import { isInternal } from "../lib/networks.ts";
import type { Verdict } from "../model/verdicts.ts";
import type { Lookup } from "./dns-lookups.ts";

export interface SpfQuestion {
  /** MAIL FROM, "" for the null sender: then the HELO name is asked about (RFC 7208 §2.4). */
  readonly from: string;
  readonly helo: string;
  readonly remoteAddress: string;
}

/** Longest time of one evaluation; RFC 7208 §4.6.4 asks for a limit. */
const MAX_ELAPSED_MS = 10_000;

/**
 * Whether the sender's domain lets this address send. Peers on loopback and in private networks get `none`: no domain
 * on the Internet can speak of them.
 *
 * Source: RFC 7208; the strict reading, which mailauth's tests hold against the suite of openspf.
 */
export function checkSpf(question: SpfQuestion, lookup: Lookup): Promise<Verdict> {
  const { from, helo, remoteAddress } = question;
  const ip = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
  const domain = (from === "" ? helo : from.slice(from.lastIndexOf("@") + 1)).toLowerCase() || null;
  return isInternal(ip)
    ? Promise.resolve({ result: "none", domain, reason: "internal-peer" })
    : evaluateSpf({ from, helo, remoteAddress: ip }, lookup);
}

/** `check_host()` for any address (RFC 7208 §4). */
export async function evaluateSpf({ from, helo, remoteAddress: ip }: SpfQuestion, lookup: Lookup): Promise<Verdict> {
  const answer = await spf({
    sender: from,
    ip,
    helo,
    mta: "posthorn",
    strict: true,
    maxElapsedTime: MAX_ELAPSED_MS,
    resolver: lookup as (name: string, type: string) => Promise<string[]>,
  });
  const result = String(answer.status.result);
  return {
    result,
    domain: answer.domain,
    scope: from === "" ? "helo" : "mailfrom",
    ...(answer.lookups && { lookups: answer.lookups.count }),
  };
}
