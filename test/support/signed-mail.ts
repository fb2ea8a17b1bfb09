import { generateKeyPairSync } from "node:crypto";

import { sealMessage } from "mailauth/lib/arc/index.js";
import { dkimSign } from "mailauth/lib/dkim/sign.js";

import type { Zone } from "./dns-server.ts";

/** One signing key of a domain, and the record that publishes it. */
export interface SigningKey {
  readonly domain: string;
  readonly selector: string;
  readonly pem: string;
  readonly zone: Zone;
}

export function makeSigningKey(domain: string, kind: "rsa" | "ed25519" = "rsa", selector = "s1"): SigningKey {
  const { privateKey, publicKey } =
    kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ed25519");
  const der = publicKey.export({ type: "spki", format: "der" });
  // RFC 8463 §3: an Ed25519 record carries the bare 32 bytes.
  const p = (kind === "rsa" ? der : der.subarray(-32)).toString("base64");
  return {
    domain,
    selector,
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    zone: { [`${selector}._domainkey.${domain}`]: { TXT: [`v=DKIM1; k=${kind}; p=${p}`] } },
  };
}

/** `mail` with a DKIM-Signature of `key` on top. */
export async function signed(mail: string, key: SigningKey, options: { readonly maxBodyLength?: number } = {}) {
  const signer = { signingDomain: key.domain, selector: key.selector, privateKey: key.pem };
  const { signatures, errors } = await dkimSign(mail, {
    ...signer,
    canonicalization: "relaxed/relaxed",
    signatureData: [{ ...signer, ...options }],
  });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return `${signatures}${mail}`;
}

/** `mail` with an ARC set of `key` on top that claims `results`. */
export async function sealed(
  mail: string,
  key: SigningKey,
  results: string,
  cv: "none" | "pass" = "none",
): Promise<string> {
  const seal = await sealMessage(mail, {
    signingDomain: key.domain,
    selector: key.selector,
    privateKey: key.pem,
    authResults: results,
    cv,
  });
  return `${seal.toString()}${mail}`;
}
