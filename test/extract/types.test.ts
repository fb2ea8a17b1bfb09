import { expect, test } from "vitest";

import { parseNode } from "../../src/extract/json-node.ts";
import { topNodesOf, typesOf } from "../../src/extract/types.ts";
import type { JsonText } from "../../src/model/mail.ts";

const typesIn = (value: unknown) => typesOf(parseNode(JSON.stringify(value) as JsonText));
const known = (...types: string[]) => ({ types, unknownContext: false });

test.each([
  "http://schema.org",
  "https://schema.org/",
  "http://www.schema.org/",
  "schema.org",
  "//schema.org",
  " https://schema.org ",
  "https://schema.org/docs/jsonldcontext.jsonld",
  "http://health-lifesci.schema.org/",
])("%j is schema.org, and its types are always https", (context) => {
  expect(typesIn({ "@context": context, "@type": "Order" })).toEqual(known("https://schema.org/Order"));
});

test("prefixes, absolute types, several types and types with a slash", () => {
  const types = ["Order", "schema:Thing", "http://www.schema.org/Foo", "/Bar", "urn:x:y"];
  expect(typesIn({ "@context": "https://schema.org", "@type": types })).toEqual(
    known(
      "https://schema.org/Order",
      "https://schema.org/Thing",
      "https://schema.org/Foo",
      "https://schema.org/Bar",
      "urn:x:y",
    ),
  );
});

test("top-level nodes are those of an array or of @graph, not nested ones", () => {
  const graph = [{ "@type": "A", inner: { "@type": "No" } }, { "@type": "B" }, "text", null];
  expect(typesIn({ "@context": "https://schema.org", "@graph": graph })).toEqual(
    known("https://schema.org/A", "https://schema.org/B"),
  );
  expect(typesIn([{ "@type": "A" }, { "@context": "http://schema.org", "@type": "A" }])).toEqual(
    known("A", "https://schema.org/A"),
  );
});

test("aliases and terms of a context that is bundled", () => {
  expect(typesIn({ "@context": "https://www.w3.org/ns/activitystreams", type: "Note" })).toEqual(
    known("https://www.w3.org/ns/activitystreams#Note"),
  );
  expect(typesIn({ "@context": "http://www.w3.org/ns/anno.jsonld", type: "Audio" })).toEqual(
    known("http://purl.org/dc/dcmitype/Sound"),
  );
  expect(
    typesIn({ "@context": ["https://www.w3.org/ns/credentials/v2"], type: ["VerifiableCredential", "Own"] }),
  ).toEqual(known("https://www.w3.org/2018/credentials#VerifiableCredential", "Own"));
});

test("a context written out: @vocab, prefixes, terms, aliases; null forgets them", () => {
  const context = { "@vocab": "http://v.example/", ex: "http://e.example/", T: { "@id": "ex:Tee" }, kind: "@type" };
  expect(typesIn({ "@context": context, kind: ["Bare", "ex:X", "T"] })).toEqual(
    known("http://v.example/Bare", "http://e.example/X", "http://e.example/Tee"),
  );
  expect(typesIn({ "@context": [context, null], kind: "Bare", "@type": "Bare" })).toEqual(known("Bare"));
});

test("under an unknown context types stay as sent", () => {
  const unknown = { types: ["Order"], unknownContext: true };
  expect(typesIn({ "@context": "https://c.example/", "@type": "Order" })).toEqual(unknown);
  expect(typesIn({ "@context": ["https://c.example/", "https://schema.org"], "@type": "Order" })).toEqual(unknown);
  expect(typesIn({ "@context": "constructor", "@type": "Order" })).toEqual(unknown);
});

test.each([
  { "@context": "https://schema.org", "@type": "Order", seller: { "@context": "https://c.example/" } },
  { "@context": ["https://schema.org", { a: { "@id": "ex:a", "@context": "https://c.example/" } }], "@type": "Order" },
  { "@context": ["https://schema.org", { "@import": "https://c.example/" }], "@type": "Order" },
])("an unknown context further inside is reported, and types that it does not touch are absolute: %j", (document) => {
  expect(typesIn(document)).toEqual({ types: ["https://schema.org/Order"], unknownContext: true });
});

test("the context of a node in a graph stands behind that of the graph", () => {
  const own = { ex: "http://e.example/" };
  const document = { "@context": "https://schema.org", "@graph": [{ "@context": own, "@type": ["Order", "ex:X"] }] };
  expect(typesIn(document)).toEqual(known("https://schema.org/Order", "http://e.example/X"));
  const [top] = topNodesOf(parseNode(JSON.stringify(document) as JsonText));
  expect(top?.context).toMatchObject({ kind: "array", items: [{ kind: "string" }, { kind: "object" }] });
});

test("of a type that stands twice the last counts, and what is no text is none", () => {
  expect(typesOf(parseNode('{"@type":"A","@type":"B"}' as JsonText))).toEqual(known("B"));
  expect(typesIn({ "@type": [1, null, { a: 1 }] })).toEqual(known());
  expect(typesIn({ "@context": 7, "@type": "A" })).toEqual(known("A"));
});
