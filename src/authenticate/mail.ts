import type { Remembered } from "../lib/remembered.ts";
import type { Envelope, Peer } from "../model/mail.ts";
import type { Authentication, Proof, Verdict, Verdicts } from "../model/verdicts.ts";
import { relayedSpfOf } from "./authentication-results.ts";
import type { DmarcReading } from "./dmarc.ts";
import { checkDmarc } from "./dmarc.ts";
import type { DnsLookups, Lookup } from "./dns-lookups.ts";
import type { SenderFields } from "./header-block.ts";
import { plainAddressOf, senderFieldsOf } from "./header-block.ts";
import type { SignatureReading } from "./signatures-of-mail.ts";
import { readSignatures } from "./signatures-of-mail.ts";
import { checkSpf } from "./spf.ts";

/** More than any honest mail carries; each may cost a pass over the body (RFC 6376 §6.1 lets a verifier limit them). */
const MAX_SIGNATURES = 10;
const MAX_SEALS = 100;
/** As long as trouble with DNS is remembered, so that a verdict made of it lasts no longer. */
const POLICY_MS = 5_000;
/** How much longer than the parsing the look-ups may take when nobody demands their verdict, counted from the first mail that waits for the same question. */
const REPORT_WITHIN_MS = 200;

export interface MailToAuthenticate {
  readonly bytes: Uint8Array;
  readonly envelope: Pick<Envelope, "from" | "helo" | "remoteAddress">;
  /** A trusted relay's Authentication-Results count, a stranger's are the sender's own invention. */
  readonly peer: Peer;
}

export interface AuthenticationRules {
  readonly dns: DnsLookups;
  /** Whose Authentication-Results and ARC seals count, as names of servers and of sealing domains. */
  readonly authservIds: readonly string[];
  /** Verdicts of DMARC over mail without a signature that holds. */
  readonly policies: Remembered<DmarcReading>;
  /** A verifier that threw: the mail goes on without its verdicts, and somebody should look at it. */
  readonly onFault: (error: unknown) => void;
}

/** A mail whose sender is being looked into. Neither member ever rejects. */
export interface PendingAuthentication {
  readonly whole: Promise<Authentication>;
  /** What is known by now; what is not is `temperror`. */
  soFar(): Authentication;
  /**
   * How long to wait for what is only reported: not at all while DNS is down, and shorter by what others have waited for
   * the same questions already, so that a dead name server costs one mail its patience and not every one.
   */
  readonly patienceMs: number;
  /** Everything is known: `soFar()` is the whole. */
  readonly isWhole: boolean;
}

const UNFINISHED: Verdict = { result: "temperror", domain: null, reason: "not-finished" };
const TROUBLE: Verdict = { result: "temperror", domain: null };

/** Starts to look into who sent a mail: SPF, DKIM, ARC, and DMARC on top. DNS has until `deadline` (ms since the epoch). */
export function authenticateMail(
  mail: MailToAuthenticate,
  rules: AuthenticationRules,
  deadline: number,
): PendingAuthentication {
  const known: { -readonly [Name in keyof Verdicts]: Verdict } = {
    spf: UNFINISHED,
    dkim: UNFINISHED,
    dmarc: UNFINISHED,
    arc: UNFINISHED,
  };
  let proofs: Authentication["proofs"] = { dkim: "unknown", dmarc: "unknown" };
  let authorDomain: string | null = null;
  let waitedMs = 0;
  let isWhole = false;
  const joins = (sinceMs: number) => (waitedMs = Math.max(waitedMs, sinceMs));
  const soFar = (): Authentication => ({ verdicts: { ...known }, authorDomain, proofs });

  const run = async (): Promise<Authentication> => {
    const lookup = rules.dns.forMail(deadline, joins);
    const fields = senderFieldsOf(mail.bytes);
    const spf = checkSpfOf(mail, fields, rules, lookup)
      .catch((): Verdict => TROUBLE)
      .then((verdict) => (known.spf = verdict));
    const signatures = signaturesOf(mail, fields, lookup);
    signatures.then(
      (reading) => (known.arc = reading.arc),
      () => (known.arc = TROUBLE),
    );
    const [spfVerdict, reading] = await Promise.all([spf, signatures]);
    const spfDomains = spfVerdict.result === "pass" && spfVerdict.domain !== null ? [spfVerdict.domain] : [];
    const { headerFrom, fromFields, passed } = reading;
    const ask = () => checkDmarc({ headerFrom, fromFields, spfDomains, signatures: passed }, lookup);
    // Unsigned mail of one author and one SPF domain has one verdict: most of it costs no evaluation then.
    const policy = `${fromFields} ${domainOf(headerFrom[0])} ${spfDomains.join()}`;
    const now = Date.now();
    const isAlike = passed.length === 0 && headerFrom.length === 1;
    if (isAlike) joins(rules.policies.pendingForMs(policy, now));
    const dmarc = await (isAlike ? rules.policies.get(policy, ask, POLICY_MS, now) : ask());
    known.dkim = dkimVerdict(reading, dmarc);
    known.dmarc = dmarc.verdict;
    authorDomain = dmarc.authorDomain;
    proofs = proofsOf(dmarc, reading, spfVerdict, rules.authservIds);
    isWhole = true;
    return soFar();
  };

  const whole = run().catch((error: unknown): Authentication => {
    rules.onFault(error);
    for (const name of ["spf", "dkim", "dmarc", "arc"] as const) if (known[name] === UNFINISHED) known[name] = TROUBLE;
    return soFar();
  });
  return {
    whole,
    soFar,
    get isWhole() {
      return isWhole;
    },
    get patienceMs() {
      return rules.dns.isDown ? 0 : Math.max(0, REPORT_WITHIN_MS - waitedMs);
    },
  };
}

const domainOf = (address = "") => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

/** Behind a trusted relay only the relay saw who connected: what it wrote down is believed instead of a second check. */
async function checkSpfOf(
  mail: MailToAuthenticate,
  fields: SenderFields,
  rules: AuthenticationRules,
  lookup: Lookup,
): Promise<Verdict> {
  if (mail.peer !== "stranger") {
    const relayed = relayedSpfOf(fields.authenticationResults, rules.authservIds);
    if (relayed !== undefined) {
      const { result, domain, authservId } = relayed;
      return { result, domain, by: authservId };
    }
    if (mail.peer === "relay") return { result: "none", domain: null, reason: "behind-relay" };
  }
  return checkSpf(mail.envelope, lookup);
}

async function signaturesOf(mail: MailToAuthenticate, fields: SenderFields, lookup: Lookup): Promise<SignatureReading> {
  const { signatures, seals, from, isTooLong, bodyStart } = fields;
  if (isTooLong || signatures > MAX_SIGNATURES || seals > MAX_SEALS) {
    const tooMany: Verdict = { result: "policy", domain: null, reason: isTooLong ? "header-too-long" : "too-many" };
    return { dkim: tooMany, arc: tooMany, headerFrom: [], fromFields: 0, passed: [], isDnsTrouble: false };
  }
  if (signatures > 0 || seals > 0) return readSignatures(mail.bytes, mail.envelope.from, lookup);
  const [written = ""] = from;
  const address = from.length === 1 ? plainAddressOf(written) : undefined;
  const none: Verdict = { result: "none", domain: null };
  if (address !== undefined)
    return { dkim: none, arc: none, headerFrom: [address], fromFields: 1, passed: [], isDnsTrouble: false };
  return readSignatures(mail.bytes.subarray(0, bodyStart), mail.envelope.from, lookup);
}

/** One verdict for all signatures: the aligned pass, else any pass, else trouble, else what is wrong with the first. */
function dkimVerdict(reading: SignatureReading, dmarc: DmarcReading): Verdict {
  const signatures = (reading.dkim.signatures ?? []) as readonly Verdict[];
  if (signatures.length === 0) return { ...reading.dkim, signatures: [] };
  const author = dmarc.authorDomain ?? "";
  const passes = signatures.filter(({ result }) => result === "pass");
  const nearest = passes.find(({ domain }) => domain?.toLowerCase() === author) ?? passes[0];
  const chosen = nearest ?? signatures.find(({ result }) => result === "temperror") ?? signatures[0];
  return {
    result: chosen?.result ?? "none",
    domain: chosen?.domain ?? null,
    aligned: dmarc.dkimAligned === "met",
    signatures,
  };
}

function proofsOf(
  dmarc: DmarcReading,
  reading: SignatureReading,
  spf: Verdict,
  sealers: readonly string[],
): Authentication["proofs"] {
  if (dmarc.authorDomain === null) return { dkim: "not-met", dmarc: "not-met" };
  // An indirect mail whose signatures broke on the way is believed when a sealer we listed saw them hold (RFC 8617 §7.2.1).
  const isVouchedFor = isListedSeal(reading.arc, sealers, dmarc.authorDomain);
  const later = (proof: Proof, isTrouble: boolean): Proof => (proof === "not-met" && isTrouble ? "unknown" : proof);
  return {
    dkim: later(dmarc.dkimAligned, reading.isDnsTrouble),
    dmarc: isVouchedFor ? "met" : later(dmarc.aligned, reading.isDnsTrouble || spf.result === "temperror"),
  };
}

function isListedSeal(arc: Verdict, sealers: readonly string[], authorDomain: string): boolean {
  const claimed = arc.claimed as { readonly dmarc: string | null; readonly from: string | null } | null | undefined;
  return (
    arc.result === "pass" &&
    claimed?.dmarc === "pass" &&
    (claimed.from === null || claimed.from.toLowerCase() === authorDomain) &&
    sealers.some((sealer) => sealer.toLowerCase() === arc.domain?.toLowerCase())
  );
}
