import fc from "fast-check";
import { expect, test } from "vitest";

import { bundledContext } from "../../../src/extract/contexts/bundled.ts";
import { transformJsonLd } from "../../../src/extract/json-ld.ts";
import { parseNode } from "../../../src/extract/json-node.ts";
import { absoluteType, typesOf } from "../../../src/extract/types.ts";
import type { JsonText } from "../../../src/model/mail.ts";

async function expanded(document: unknown): Promise<unknown> {
  return JSON.parse((await transformJsonLd(JSON.stringify(document) as JsonText, "expand")) ?? "null");
}

test("a context is known in every spelling seen for it, and nothing else is", () => {
  const spellings = [
    "http://schema.org",
    "https://www.schema.org/",
    "schema.org",
    "https://schema.org/docs/jsonldcontext.json",
    "http://www.w3.org/ns/activitystreams",
    "https://www.w3.org/ns/activitystreams#",
    "http://www.w3.org/ns/anno.jsonld",
    "https://www.w3.org/2018/credentials/v1",
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/v1",
  ];
  for (const url of spellings) expect(bundledContext(url), url).toBeDefined();
  const others = [
    "",
    "http://schema.org.evil.example/",
    "http://evil.example/schema.org",
    "__proto__",
    "toString",
    "file:///etc/passwd",
  ];
  for (const url of others) expect(bundledContext(url), url).toBeUndefined();
});

test("a credential of version 1 with its proof", async () => {
  const credential = {
    "@context": ["https://www.w3.org/2018/credentials/v1"],
    type: ["VerifiableCredential"],
    issuer: "did:example:1",
    issuanceDate: "2026-01-01T00:00:00Z",
    credentialSubject: { id: "did:example:2" },
    proof: { type: "Ed25519Signature2018", proofPurpose: "assertionMethod", jws: "x" },
  };
  expect(await expanded(credential)).toEqual([
    {
      "@type": ["https://www.w3.org/2018/credentials#VerifiableCredential"],
      "https://www.w3.org/2018/credentials#issuer": [{ "@id": "did:example:1" }],
      "https://www.w3.org/2018/credentials#issuanceDate": [
        { "@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": "2026-01-01T00:00:00Z" },
      ],
      "https://www.w3.org/2018/credentials#credentialSubject": [{ "@id": "did:example:2" }],
      "https://w3id.org/security#proof": [
        {
          "@graph": [
            {
              "@type": ["https://w3id.org/security#Ed25519Signature2018"],
              "https://w3id.org/security#proofPurpose": [{ "@id": "https://w3id.org/security#assertionMethod" }],
              "https://w3id.org/security#jws": [{ "@value": "x" }],
            },
          ],
        },
      ],
    },
  ]);
});

test("a credential of version 2 with its status", async () => {
  const credential = {
    "@context": "https://www.w3.org/ns/credentials/v2",
    type: "VerifiableCredential",
    name: "Diploma",
    credentialStatus: { type: "BitstringStatusListEntry", statusListCredential: "https://s.example/1", statusSize: 1 },
  };
  expect(await expanded(credential)).toMatchObject([
    {
      "https://schema.org/name": [{ "@value": "Diploma" }],
      "https://www.w3.org/2018/credentials#credentialStatus": [
        {
          "@type": ["https://www.w3.org/ns/credentials/status#BitstringStatusListEntry"],
          "https://www.w3.org/ns/credentials/status#statusListCredential": [{ "@id": "https://s.example/1" }],
        },
      ],
    },
  ]);
});

test("an annotation, an actor with its key, a DID document", async () => {
  const annotation = {
    "@context": "http://www.w3.org/ns/anno.jsonld",
    type: "Annotation",
    body: "http://b.example/",
    motivation: "tagging",
  };
  expect(await expanded(annotation)).toEqual([
    {
      "@type": ["http://www.w3.org/ns/oa#Annotation"],
      "http://www.w3.org/ns/oa#hasBody": [{ "@id": "http://b.example/" }],
      "http://www.w3.org/ns/oa#motivatedBy": [{ "@id": "http://www.w3.org/ns/oa#tagging" }],
    },
  ]);
  const actor = {
    "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
    type: "Person",
    publicKey: { id: "https://a.example/#key", publicKeyPem: "pem" },
  };
  expect(await expanded(actor)).toMatchObject([
    {
      "@type": ["https://www.w3.org/ns/activitystreams#Person"],
      "https://w3id.org/security#publicKey": [{ "https://w3id.org/security#publicKeyPem": [{ "@value": "pem" }] }],
    },
  ]);
  const did = {
    "@context": "https://www.w3.org/ns/did/v1",
    id: "did:example:1",
    service: { serviceEndpoint: "https://s.example/" },
  };
  expect(await expanded(did)).toEqual([
    {
      "@id": "did:example:1",
      "https://www.w3.org/ns/did#service": [
        { "https://www.w3.org/ns/did#serviceEndpoint": [{ "@id": "https://s.example/" }] },
      ],
    },
  ]);
});

test("types are those that the JSON-LD algorithms find, for any mixture of contexts", async () => {
  const inline = fc.dictionary(
    fc.constantFrom("ex", "Order", "Note", "kind", "other"),
    fc.constantFrom("http://e.example/", "ex:x", "schema:Thing", "@type", "https://schema.org/Y"),
    { maxKeys: 3 },
  );
  const vocab = fc.constantFrom("http://v.example/", "http://schema.org/").map((iri) => ({ "@vocab": iri }));
  const remote = fc.constantFrom(
    "https://schema.org",
    "https://www.w3.org/ns/activitystreams",
    "http://www.w3.org/ns/anno.jsonld",
    "https://www.w3.org/2018/credentials/v1",
  );
  const contexts = fc.array(fc.oneof(remote, inline, vocab, fc.constant(null)), { minLength: 1, maxLength: 3 });
  const types = fc.uniqueArray(
    fc.constantFrom(
      "Order",
      "Note",
      "Audio",
      "schema:Thing",
      "ex:a",
      "http://schema.org/B",
      "urn:c:d",
      "VerifiableCredential",
    ),
    { minLength: 1, maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(contexts, types, fc.constantFrom("@type", "type", "kind"), async (context, names, member) => {
      const document = { "@context": context, [member]: names, "http://p.example/": 1 };
      const nodes = await expanded(document);
      // What the library refuses (a term that is its own prefix, say) has no types to compare with.
      fc.pre(nodes !== null);
      const [node] = nodes as { "@type"?: string[] }[];
      const ours = typesOf(parseNode(JSON.stringify(document) as JsonText)).types;
      expect([...ours].sort()).toEqual([...new Set((node?.["@type"] ?? []).map(absoluteType))].sort());
    }),
    { numRuns: 300 },
  );
});
