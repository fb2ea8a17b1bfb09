import type { HeaderRow, MailHeader } from "../model/mail-header.ts";
import type { Verdict } from "../model/verdicts.ts";
import type { ArcSet } from "./arc/chain.ts";
import { chainOf } from "./arc/chain.ts";
import { validateChain } from "./arc/validate.ts";
import { SignedFields } from "./dkim/canonical-header.ts";
import { PublicKeys } from "./dkim/public-key.ts";
import type { Signature } from "./dkim/signature.ts";
import { readSignature } from "./dkim/signature.ts";
import { BodyHashes, verifySignature } from "./dkim/verify.ts";
import type { Lookup } from "./dns-lookups.ts";

export interface SignatureReading {
  readonly dkim: Verdict;
  readonly arc: Verdict;
  /** Signatures that hold. */
  readonly passed: readonly { readonly domain: string }[];
  /** A signature could not be judged because DNS was in trouble. */
  readonly isDnsTrouble: boolean;
}

const NONE: Verdict = { result: "none", domain: null };

/** A mail that carries no signature of either kind. */
export const UNSIGNED: SignatureReading = { dkim: NONE, arc: NONE, passed: [], isDnsTrouble: false };

export interface SignedMail {
  readonly mail: Buffer;
  readonly header: MailHeader;
  readonly signatures: readonly HeaderRow[];
  /** Rows of ARC sets. */
  readonly chain: readonly HeaderRow[];
}

/**
 * Judges the DKIM signatures and the ARC chain of a mail over the bytes as they came in.
 *
 * The header is canonicalized once, and the body hashed once, in each of the two ways at most; each signature then costs a
 * pass over the fields that it names, each at most once, and one check of a key. `now` is in milliseconds since the epoch.
 */
export async function readSignatures(
  { mail, header, signatures, chain }: SignedMail,
  lookup: Lookup,
  now: number,
): Promise<SignatureReading> {
  const fields = new SignedFields(mail, header);
  const readable = signatures.flatMap((row) => readSignature(fields, row, "DKIM") ?? []);
  const sets = chain.length === 0 ? [] : chainOf(chain, fields);
  const newest = newestSignature(sets, fields);
  const lengths = [...readable, newest].flatMap((signature) => signature?.bodyLength ?? []);
  const bodies = new BodyHashes(mail.subarray(header.bodyStart), lengths);
  const keys = new PublicKeys(lookup);
  const verdictOf = (signature: Signature) => verifySignature(signature, fields, bodies, keys, now);
  const sealed = newest === undefined ? Promise.resolve("neutral" as const) : verdictOf(newest);
  const [results, arc] = await Promise.all([
    Promise.all(readable.map(verdictOf)),
    chain.length === 0 ? NONE : sealed.then((result) => validateChain(sets ?? [], result, fields, keys)),
  ]);
  const judged = readable.map(({ domain, selector, algorithm }, index) => {
    const result = results[index] ?? "neutral";
    return { result, domain, selector, algorithm };
  });
  return {
    dkim: { result: "none", domain: null, signatures: judged },
    arc,
    passed: judged.filter(({ result }) => result === "pass").map(({ domain }) => ({ domain })),
    isDnsTrouble: results.includes("temperror"),
  };
}

function newestSignature(sets: readonly ArcSet[] | undefined, fields: SignedFields): Signature | undefined {
  const set = sets?.at(-1);
  return set === undefined ? undefined : readSignature(fields, set.signature, "ARC");
}
