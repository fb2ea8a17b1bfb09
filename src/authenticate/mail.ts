import type { Remembered } from "../lib/remembered.ts";
import type { MailHeader } from "../model/mail-header.ts";
import type { Envelope, Peer } from "../model/mail.ts";
import type { Authentication, Proof, Verdict, Verdicts } from "../model/verdicts.ts";
import { relayedSpfOf } from "./authentication-results.ts";
import type { DmarcReading } from "./dmarc.ts";
import { checkDmarc } from "./dmarc.ts";
import type { DnsQuestions, Lookup } from "./dns-lookups.ts";
import { headerRowsOf } from "./header-rows.ts";
import type { SenderFields } from "./sender-fields.ts";
import { senderFieldsOf } from "./sender-fields.ts";
import type { SignatureReading } from "./signatures-of-mail.ts";
import { readSignatures, UNSIGNED } from "./signatures-of-mail.ts";
import { checkSpf } from "./spf.ts";

/** More than any honest mail carries; each costs a look-up and the check of a key (RFC 6376 §6.1 lets a verifier limit them). */
const MAX_SIGNATURES = 10;
/** Fields of ARC: three for each of 50 sets (RFC 8617 §4.2.1). */
const MAX_CHAIN_FIELDS = 150;
/** As long as trouble with DNS is remembered, so that a verdict made of it lasts no longer. */
const POLICY_MS = 5_000;
/** How much longer than the parsing the look-ups may take when nobody demands their verdict, counted from the first mail that waits for the same question. */
const REPORT_WITHIN_MS = 200;

export interface MailToAuthenticate {
  readonly bytes: Uint8Array;
  /** As the mail was read, so that what is proved is what is shown; left out, the header is cut here. */
  readonly header?: MailHeader;
  readonly envelope: Pick<Envelope, "from" | "helo" | "remoteAddress">;
  /** A trusted relay's Authentication-Results count, a stranger's are the sender's own invention. */
  readonly peer: Peer;
}

export interface AuthenticationRules {
  readonly dns: DnsQuestions;
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
const NO_AUTHOR = { headerFrom: [], fromFields: 0 } as const;
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
    const { buffer, byteOffset, byteLength } = mail.bytes;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    const header = mail.header ?? headerRowsOf(bytes);
    const fields = senderFieldsOf(bytes, header);
    const spf = checkSpfOf(mail, fields, rules, lookup)
      .catch((): Verdict => TROUBLE)
      .then((verdict) => (known.spf = verdict));
    const signatures = signaturesOf(bytes, header, fields, lookup);
    signatures.then(
      (reading) => (known.arc = reading.arc),
      () => (known.arc = TROUBLE),
    );
    const [spfVerdict, reading] = await Promise.all([spf, signatures]);
    const spfDomains = spfVerdict.result === "pass" && spfVerdict.domain !== null ? [spfVerdict.domain] : [];
    // Nobody's, when there is more in the mail than anybody reads.
    const { headerFrom, fromFields } = whyUnread(header, fields) === undefined ? fields : NO_AUTHOR;
    const { passed } = reading;
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

/** Why nobody looks at the signatures of a mail. */
function whyUnread(header: MailHeader, { signatures, chain }: SenderFields): string | undefined {
  if (header.isTooLong) return "header-too-long";
  return signatures.length > MAX_SIGNATURES || chain.length > MAX_CHAIN_FIELDS ? "too-many" : undefined;
}

async function signaturesOf(
  mail: Buffer,
  header: MailHeader,
  fields: SenderFields,
  lookup: Lookup,
): Promise<SignatureReading> {
  const reason = whyUnread(header, fields);
  const unread: Verdict = { result: "policy", domain: null, reason };
  if (reason !== undefined) return { ...UNSIGNED, dkim: unread, arc: unread };
  const { signatures, chain } = fields;
  if (signatures.length === 0 && chain.length === 0) return UNSIGNED;
  return readSignatures({ mail, header, signatures, chain }, lookup, Date.now());
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
