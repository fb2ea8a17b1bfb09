import type { KeyObject } from "node:crypto";
import { createPublicKey, hash, verify } from "node:crypto";

import { getPublicKey } from "mailauth/lib/tools.js";

import type { Lookup } from "../dns-lookups.ts";

/** A key that may judge a signature, or why none does, in the words of RFC 8601. */
export type KeyReading =
  | { readonly kind: "key"; readonly key: KeyObject }
  | { readonly kind: "none"; readonly result: "neutral" | "policy" | "temperror" };

/** RFC 8301 §3.2: shorter RSA keys are not acceptable, and up to 4096 bits a verifier must know. */
const MIN_RSA_BITS = 1024;
/** One check with the longest that OpenSSL takes, and the largest exponent, would take as long as a thousand usual ones. */
const MAX_RSA_BITS = 4096;
const MAX_RSA_EXPONENT = 2n ** 33n;

/** RFC 1035 §2.3.4. A longer name has no record, and mailauth 7.1.0 takes a time for it that grows with its square. */
const MAX_NAME_BYTES = 253;

/** mailauth's words for a record that is missing or unusable. */
const UNUSABLE = new Set([
  "ENOTFOUND",
  "ENODATA",
  "EINVALIDVER",
  "EINVALIDTYPE",
  "EINVALIDVAL",
  "EINVALIDHASH",
  "EINVALIDSERVICE",
]);

/** The keys of one mail's signatures, each asked for once. */
export class PublicKeys {
  readonly #lookup: Lookup;
  readonly #readings = new Map<string, Promise<KeyReading>>();

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  /** The key that `domain` publishes under `selector` for signatures over SHA-256. Never rejects. Source: RFC 6376 §3.6. */
  of(selector: string, domain: string): Promise<KeyReading> {
    const name = `${selector}._domainkey.${domain}`;
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return Promise.resolve({ kind: "none", result: "neutral" });
    let reading = this.#readings.get(name);
    if (reading === undefined) {
      reading = this.#read(name);
      this.#readings.set(name, reading);
    }
    return reading;
  }

  async #read(name: string): Promise<KeyReading> {
    try {
      const { publicKey } = await getPublicKey("DKIM", name, MIN_RSA_BITS, this.#lookup, { hashAlgo: "sha256" });
      const key = createPublicKey(publicKey);
      const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
      const isDear = modulusLength > MAX_RSA_BITS || publicExponent > MAX_RSA_EXPONENT;
      return isDear ? { kind: "none", result: "policy" } : { kind: "key", key };
    } catch (error) {
      const code = String((error as { readonly code?: unknown }).code);
      if (UNUSABLE.has(code)) return { kind: "none", result: "neutral" };
      return { kind: "none", result: code === "ESHORTKEY" ? "policy" : "temperror" };
    }
  }
}

/** Whether `signature` over `data` was made with the other half of the key. Source: RFC 8301 §3.1, RFC 8463 §3. */
export function isSignedBy(data: Buffer, signature: Buffer, key: KeyObject): boolean {
  try {
    return key.asymmetricKeyType === "rsa"
      ? verify("sha256", data, key, signature)
      : verify(null, hash("sha256", data, "buffer"), key, signature);
  } catch {
    // OpenSSL throws at some keys that it reads but cannot use; nothing is signed with those.
    return false;
  }
}
