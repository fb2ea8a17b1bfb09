import type { Verdict } from "../../model/verdicts.ts";
import type { SignedFields } from "../dkim/canonical-header.ts";
import { canonicalField } from "../dkim/canonical-header.ts";
import type { PublicKeys } from "../dkim/public-key.ts";
import { isSignedBy } from "../dkim/public-key.ts";
import { solidTagOf, tagOf, withoutSignature } from "../dkim/tag-list.ts";
import type { SignatureResult } from "../dkim/verify.ts";
import type { ArcSet } from "./chain.ts";
import { claimOf } from "./claim.ts";

const CRLF = "\r\n";

/**
 * The verdict on a chain whose newest signature of the mail has been judged. Whatever does not hold fails for good.
 *
 * Source: RFC 8617 §5.2, steps 4 to 7; only the newest signature is judged, for mediators may change a mail.
 */
export async function validateChain(
  sets: readonly ArcSet[],
  signature: SignatureResult,
  fields: SignedFields,
  keys: PublicKeys,
): Promise<Verdict> {
  const newest = sets.at(-1);
  if (newest === undefined) return { result: "fail", domain: null, instance: 0, claimed: null };
  const domain = tagOf(newest.sealTags, "d") ?? null;
  const found = { domain, instance: sets.length };
  if (signature !== "pass" || !(await doSealsHold(sets, fields, keys)))
    return { result: "fail", ...found, claimed: null };
  const results = fields.written(newest.results);
  const value = Buffer.from(results.slice(results.indexOf(":") + 1), "latin1").toString("utf8");
  return { result: "pass", ...found, claimed: claimOf(value) };
}

/** Each seal covers all sets up to its own, so one that was taken out or changed breaks those above it. */
async function doSealsHold(sets: readonly ArcSet[], fields: SignedFields, keys: PublicKeys): Promise<boolean> {
  const readings = await Promise.all(
    sets.map(({ sealTags }) => keys.of(tagOf(sealTags, "s") ?? "", tagOf(sealTags, "d") ?? "")),
  );
  let before = "";
  for (const [index, { results, signature, seal, sealHead, sealTags }] of sets.entries()) {
    const reading = readings[index];
    const method = tagOf(sealTags, "a")?.toLowerCase();
    if (reading?.kind !== "key" || `${reading.key.asymmetricKeyType}-sha256` !== method) return false;
    const [found, signed, sealed] = [results, signature, seal].map((row) => fields.canonical(row, "relaxed") + CRLF);
    before += `${found}${signed}`;
    const own = canonicalField(sealHead + withoutSignature(sealTags), "relaxed");
    const value = Buffer.from(solidTagOf(sealTags, "b") ?? "", "base64");
    if (!isSignedBy(Buffer.from(before + own, "latin1"), value, reading.key)) return false;
    before += sealed;
  }
  return true;
}
