import type { ContextDocument, TermMap } from "./terms.ts";
import { ADDRESS, ALIASES, scoped, terms } from "./terms.ts";

const CRED = "https://www.w3.org/2018/credentials#";
const STATUS = "https://www.w3.org/ns/credentials/status#";
const SEC = "https://w3id.org/security#";
const XSD = "http://www.w3.org/2001/XMLSchema#";
const JWT = "https://www.iana.org/assignments/jwt#";
const JOSE = "https://www.iana.org/assignments/jose#";
const DATE_TIME: TermMap = { "@type": `${XSD}dateTime` };
const GRAPH: TermMap = { "@type": "@id", "@container": "@graph" };
const MULTIBASE: TermMap = { "@type": `${SEC}multibase` };
const PROOF = terms(SEC, "proof", GRAPH);
const CREDENTIAL_LINKS = "credentialStatus credentialSubject evidence issuer termsOfUse";

/**
 * The context of Verifiable Credentials 1.1, built from its tables. Source: W3C "Verifiable Credentials Data Model v1.1"
 * (Recommendation, 2022-03-03), §B.1, `https://www.w3.org/2018/credentials/v1`; read 2026-11-24.
 */
export function credentialsV1Context(): ContextDocument {
  const signatures = ["EcdsaSecp256k1Signature2019", "EcdsaSecp256r1Signature2019", "Ed25519Signature2018"];
  return {
    "@context": {
      "@version": 1.1,
      "@protected": true,
      ...ALIASES,
      VerifiableCredential: scoped(`${CRED}VerifiableCredential`, {
        ...ALIASES,
        ...terms("", `cred=${CRED} sec=${SEC} xsd=${XSD}`),
        ...terms(CRED, `${CREDENTIAL_LINKS} holder`, ADDRESS),
        ...terms(CRED, "expirationDate issued issuanceDate validFrom validUntil", DATE_TIME),
        ...PROOF,
        credentialSchema: scopedLink("credentialSchema", "JsonSchemaValidator2018"),
        refreshService: scopedLink("refreshService", "ManualRefreshService2018"),
      }),
      VerifiablePresentation: scoped(`${CRED}VerifiablePresentation`, {
        ...ALIASES,
        ...terms("", `cred=${CRED} sec=${SEC}`),
        ...terms(CRED, "holder", ADDRESS),
        ...PROOF,
        ...terms(CRED, "verifiableCredential", GRAPH),
      }),
      ...Object.fromEntries(signatures.map((name) => [name, scoped(SEC + name, { ...ALIASES, ...SIGNATURE })])),
      RsaSignature2018: scoped(`${SEC}RsaSignature2018`, SIGNATURE),
      ...PROOF,
    },
  };
}

/**
 * The context of Verifiable Credentials 2.0. Source: W3C "Verifiable Credentials Data Model v2.0" (Recommendation,
 * 2025-05-15), §B.1, `https://www.w3.org/ns/credentials/v2`; read 2026-11-24.
 */
export function credentialsV2Context(): ContextDocument {
  const names = terms("https://schema.org/", "description name");
  return {
    "@context": {
      "@protected": true,
      ...ALIASES,
      ...names,
      ...terms(SEC, "digestMultibase", MULTIBASE),
      ...terms(CRED, "digestSRI", { "@type": `${CRED}sriString` }),
      mediaType: { "@id": "https://schema.org/encodingFormat" },
      VerifiableCredential: scoped(`${CRED}VerifiableCredential`, {
        ...ALIASES,
        ...names,
        ...terms(CRED, `${CREDENTIAL_LINKS} confidenceMethod credentialSchema refreshService`, ADDRESS),
        ...terms(CRED, "relatedResource renderMethod", ADDRESS),
        ...terms(CRED, "validFrom validUntil", DATE_TIME),
        ...PROOF,
      }),
      VerifiablePresentation: scoped(`${CRED}VerifiablePresentation`, {
        ...ALIASES,
        ...terms(CRED, "holder termsOfUse", ADDRESS),
        ...PROOF,
        ...terms(CRED, "verifiableCredential", { ...GRAPH, "@context": null }),
      }),
      ...terms(CRED, "EnvelopedVerifiableCredential EnvelopedVerifiablePresentation JsonSchemaCredential"),
      JsonSchema: scoped(`${CRED}JsonSchema`, { ...ALIASES, ...terms(CRED, "jsonSchema", { "@type": "@json" }) }),
      ...terms(STATUS, "BitstringStatusListCredential"),
      BitstringStatusList: scoped(`${STATUS}BitstringStatusList`, {
        ...ALIASES,
        ...terms(STATUS, "encodedList", MULTIBASE),
        ...terms(STATUS, "statusPurpose ttl"),
      }),
      BitstringStatusListEntry: scoped(`${STATUS}BitstringStatusListEntry`, {
        ...ALIASES,
        ...terms(STATUS, "statusListCredential statusReference", ADDRESS),
        ...terms(STATUS, "statusListIndex statusPurpose"),
        statusMessage: scoped(`${STATUS}statusMessage`, { ...ALIASES, ...terms(STATUS, "message status") }),
        // "https:" here and "http:" elsewhere is what the published context says.
        ...terms(STATUS, "statusSize", { "@type": "https://www.w3.org/2001/XMLSchema#integer" }),
      }),
      DataIntegrityProof: scoped(`${SEC}DataIntegrityProof`, {
        ...ALIASES,
        ...terms(SEC, "challenge domain nonce"),
        ...terms(SEC, "created=http://purl.org/dc/terms/created", DATE_TIME),
        ...terms(SEC, `expires=${SEC}expiration`, DATE_TIME),
        ...terms(SEC, "cryptosuite", { "@type": `${SEC}cryptosuiteString` }),
        ...terms(SEC, "previousProof verificationMethod", ADDRESS),
        ...terms(SEC, "proofValue", MULTIBASE),
        proofPurpose: purposes("capabilityDelegation capabilityInvocation", "keyAgreement"),
      }),
      ...terms(JWT, "...", {}),
      ...terms(JWT, "_sd", { "@type": "@json" }),
      ...terms(JWT, "_sd_alg", {}),
      ...terms(JWT, "aud", ADDRESS),
      cnf: {
        "@id": `${JWT}cnf`,
        "@context": {
          "@protected": true,
          ...terms(JWT, "kid", ADDRESS),
          ...terms(JWT, "jwk", { "@type": "@json" }),
        },
      },
      ...terms(JWT, "exp iat nbf", { "@type": "https://www.w3.org/2001/XMLSchema#nonNegativeInteger" }),
      ...terms(JOSE, "iss jku kid sub x5u", ADDRESS),
    },
  };
}

function scopedLink(name: string, type: string): TermMap {
  return scoped(CRED + name, { ...ALIASES, cred: CRED, ...terms(CRED, type) }, ADDRESS);
}

/** What a proof is for; the names of key uses get the suffix `Method` where the vocabulary has it. */
function purposes(...more: string[]): TermMap {
  const withMethod = ["authentication", ...more.flatMap((names) => names.split(" "))];
  const names = withMethod.map((name) => `${name}=${SEC}${name}Method`).join(" ");
  const context = { ...ALIASES, ...terms(SEC, `assertionMethod ${names}`, { "@type": "@id", "@container": "@set" }) };
  return scoped(`${SEC}proofPurpose`, context, { "@type": "@vocab" });
}

/** The members of a signature in version 1. */
const SIGNATURE: TermMap = {
  ...terms("", `sec=${SEC} xsd=${XSD}`),
  ...terms(SEC, "challenge domain jws nonce proofValue"),
  ...terms(SEC, "created=http://purl.org/dc/terms/created", DATE_TIME),
  ...terms(SEC, `expires=${SEC}expiration`, DATE_TIME),
  ...terms(SEC, "verificationMethod", ADDRESS),
  proofPurpose: purposes(),
};
