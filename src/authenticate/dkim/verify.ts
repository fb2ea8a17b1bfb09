import type { BodyHash } from "./canonical-body.ts";
import { hashBody } from "./canonical-body.ts";
import type { Canonicalization, SignedFields } from "./canonical-header.ts";
import type { PublicKeys } from "./public-key.ts";
import { isSignedBy } from "./public-key.ts";
import type { Signature } from "./signature.ts";

/** A verdict on one signature in the words of RFC 8601 §2.7.1. */
export type SignatureResult = "pass" | "fail" | "neutral" | "policy" | "temperror";

const CRLF = "\r\n";

/** The body's hashes for all signatures of a mail: one pass for each canonicalization that one of them names. */
export class BodyHashes {
  readonly #body: Buffer;
  readonly #lengths: readonly number[];
  readonly #hashes = new Map<Canonicalization, BodyHash>();

  /** `lengths` are the `l=` of all the signatures. */
  constructor(body: Buffer, lengths: readonly number[]) {
    this.#body = body;
    this.#lengths = lengths;
  }

  of(how: Canonicalization): BodyHash {
    let found = this.#hashes.get(how);
    if (found === undefined) {
      found = hashBody(this.#body, how, this.#lengths);
      this.#hashes.set(how, found);
    }
    return found;
  }
}

/**
 * Judges one signature: what it must not be, then the body's hash, then the key, and the signature itself last.
 *
 * One that covers less than the body (`l=`) does not pass: what follows could be anybody's (RFC 6376 §8.2). Never rejects.
 *
 * @param now milliseconds since the epoch
 */
export async function verifySignature(
  signature: Signature,
  fields: SignedFields,
  bodies: BodyHashes,
  keys: PublicKeys,
  now: number,
): Promise<SignatureResult> {
  const result = await verifyAs(signature, signature.header, signature.body, fields, bodies, keys, now);
  const { otherwise } = signature;
  if (result === "pass" || otherwise === undefined) return result;
  const other = await verifyAs(signature, otherwise, otherwise, fields, bodies, keys, now);
  return other === "pass" ? other : result;
}

async function verifyAs(
  signature: Signature,
  header: Canonicalization,
  body: Canonicalization,
  fields: SignedFields,
  bodies: BodyHashes,
  keys: PublicKeys,
  now: number,
): Promise<SignatureResult> {
  const { method, bodyLength, expiresAt } = signature;
  if (signature.isMalformed) return "neutral";
  // RFC 8301 §3.1. It is not worth a pass over the body either.
  if (method === "rsa-sha1") return "policy";
  const { whole, starts, length } = bodies.of(body);
  const covered = bodyLength === undefined ? whole : (starts.get(bodyLength) ?? whole);
  if (signature.bodyHash !== covered) return "neutral";
  const reading = await keys.of(signature.selector, signature.domain);
  if (reading.kind === "none") return reading.result;
  const kind = method === "rsa-sha256" ? "rsa" : "ed25519";
  if (reading.key.asymmetricKeyType !== kind) return "neutral";
  const signed = fields.select(signature.fields, signature.row).map((row) => fields.canonical(row, header) + CRLF);
  const data = Buffer.from(signed.join("") + signature.signedField(header), "latin1");
  if (!isSignedBy(data, signature.value, reading.key)) return "fail";
  if (expiresAt !== undefined && expiresAt * 1_000 < now) return "neutral";
  return bodyLength !== undefined && bodyLength < length ? "policy" : "pass";
}
