import type { ContextDocument } from "./terms.ts";
import { ADDRESS, ALIASES, terms } from "./terms.ts";

const SEC = "https://w3id.org/security#";

/**
 * The context of DID documents. Source: W3C "Decentralized Identifiers (DIDs) v1.0" (Recommendation, 2022-07-19), §6.3,
 * `https://www.w3.org/ns/did/v1`; read 2026-11-24.
 */
export function didV1Context(): ContextDocument {
  const keyUses = ["authentication", "capabilityDelegation", "capabilityInvocation", "keyAgreement"];
  return {
    "@context": {
      "@protected": true,
      ...ALIASES,
      ...terms("https://www.w3.org/ns/activitystreams#", "alsoKnownAs", ADDRESS),
      ...terms(SEC, "controller verificationMethod", ADDRESS),
      ...terms(SEC, ["assertionMethod", ...keyUses.map((use) => `${use}=${SEC}${use}Method`)].join(" "), {
        "@type": "@id",
        "@container": "@set",
      }),
      service: {
        "@id": "https://www.w3.org/ns/did#service",
        "@type": "@id",
        "@context": {
          "@protected": true,
          ...ALIASES,
          ...terms("https://www.w3.org/ns/did#", "serviceEndpoint", ADDRESS),
        },
      },
    },
  };
}

/**
 * The context that actors of ActivityPub name beside that of ActivityStreams. Source: W3C Credentials Community Group,
 * "Security Vocabulary", `https://w3id.org/security/v1`; read 2026-11-24.
 */
export function securityV1Context(): ContextDocument {
  return {
    "@context": {
      ...ALIASES,
      dc: "http://purl.org/dc/terms/",
      sec: SEC,
      xsd: "http://www.w3.org/2001/XMLSchema#",
      ...terms("sec:", TERMS),
      ...terms("sec:", "creator=dc:creator owner privateKey publicKey publicKeyService", ADDRESS),
      ...terms("sec:", "created=dc:created expiration expires=sec:expiration revoked", { "@type": "xsd:dateTime" }),
    },
  };
}

const TERMS = `
  EcdsaKoblitzSignature2016 Ed25519Signature2018 EncryptedMessage GraphSignature2012 LinkedDataSignature2015
  LinkedDataSignature2016 CryptographicKey=sec:Key authenticationTag canonicalizationAlgorithm cipherAlgorithm cipherData
  cipherKey digestAlgorithm digestValue domain encryptionKey initializationVector iterationCount nonce
  normalizationAlgorithm password privateKeyPem publicKeyBase58 publicKeyPem publicKeyWif salt signature
  signatureAlgorithm=sec:signingAlgorithm signatureValue`;
