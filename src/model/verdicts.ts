/** One verdict of SPF, DKIM, DMARC or ARC with the words of RFC 8601 §2.7. */
export interface Verdict {
  readonly result: string;
  readonly domain: string | null;
  readonly [detail: string]: unknown;
}

/** What an event says of its sender (contract §5, `data.mail.authentication`). */
export interface Verdicts {
  readonly spf: Verdict;
  readonly dkim: Verdict;
  readonly dmarc: Verdict;
  readonly arc: Verdict;
}

/** Whether a demand of a hook is met. `unknown` when DNS could not say: the relay shall ask again. */
export type Proof = "met" | "not-met" | "unknown";

/** The verdicts, and what follows from them for each thing that a hook's `authenticate` option may demand. */
export interface Authentication {
  readonly verdicts: Verdicts;
  /** The one domain in From that the proofs are about, lower case; `null` when there is none or more than one. */
  readonly authorDomain: string | null;
  readonly proofs: { readonly dkim: Proof; readonly dmarc: Proof };
}
