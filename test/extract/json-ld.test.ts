import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import fc from "fast-check";
import { expect, test } from "vitest";

import { transformJsonLd } from "../../src/extract/json-ld.ts";
import type { JsonText } from "../../src/model/mail.ts";

const ORDER = `{"@context":"https://schema.org","@type":"Order","@id":"urn:1","orderNumber":12345678901234567890,
  "url":"http://shop.example/","acceptedOffer":[{"@type":"Offer","price":1.10},{"@type":"Offer","price":1e400}]}` as JsonText;

test("expand writes every address out and keeps every digit", async () => {
  expect(await transformJsonLd(ORDER, "expand")).toBe(
    '[{"@id":"urn:1","@type":["http://schema.org/Order"],"http://schema.org/acceptedOffer":[' +
      '{"@type":["http://schema.org/Offer"],"http://schema.org/price":[{"@value":1.10}]},' +
      '{"@type":["http://schema.org/Offer"],"http://schema.org/price":[{"@value":1e400}]}],' +
      '"http://schema.org/orderNumber":[{"@value":12345678901234567890}],"http://schema.org/url":[{"@id":"http://shop.example/"}]}]',
  );
});

test("compact, flatten and frame speak the document's own context", async () => {
  const offer = { type: "Offer", price: 1.1 };
  expect(JSON.parse((await transformJsonLd(ORDER, "compact")) ?? "")).toMatchObject({
    type: "Order",
    acceptedOffer: [offer, {}],
  });
  expect(JSON.parse((await transformJsonLd(ORDER, "flatten")) ?? "")).toMatchObject({
    "@graph": [offer, {}, { id: "urn:1" }],
  });
  const framed = await transformJsonLd(ORDER, { frame: { "@type": "Offer", price: 1.1 } });
  expect(framed).toBeDefined();
  expect(await transformJsonLd(ORDER, { frame: { "@type": "Order" } })).toContain('"orderNumber":12345678901234567890');
});

test("relative addresses are resolved against the page", async () => {
  const value = '{"@context":"https://schema.org","@id":"a","image":"i.png"}' as JsonText;
  expect(await transformJsonLd(value, "expand", { baseUrl: "http://b.example/c/" })).toBe(
    '[{"@id":"http://b.example/c/a","http://schema.org/image":[{"@id":"http://b.example/c/i.png"}]}]',
  );
});

test("numbers in a context written out are left alone", async () => {
  const value = '{"@context":{"@version":1.1,"a":"http://a.example/"},"a":1.50}' as JsonText;
  expect(await transformJsonLd(value, "compact")).toBe(
    '{"@context":{"@version":1.1,"a":"http://a.example/"},"a":1.50}',
  );
});

test("an address that is not bundled is never asked for", async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end('{"@context":{}}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/c.jsonld`;
  const contexts = [
    url,
    [url],
    { "@import": url },
    { a: { "@id": "http://a.example/", "@context": url } },
    { "@context": url },
  ];
  try {
    for (const context of contexts) {
      const value = JSON.stringify({ "@context": context, "@type": "Order", a: { b: 1 } }) as JsonText;
      for (const form of ["compact", "expand", "flatten", { frame: { "@context": url } }] as const)
        await transformJsonLd(value, form);
    }
    expect(asked).toBe(0);
  } finally {
    server.close();
  }
});

test("under an unknown context there is no other form", async () => {
  expect(await transformJsonLd('{"@context":"https://c.example/","a":1}' as JsonText, "expand")).toBeUndefined();
});

test("whatever the document, it ends in JSON or in nothing, and objects stay clean", async () => {
  const text = (inner: fc.Arbitrary<unknown>) =>
    fc.dictionary(
      fc.constantFrom(
        "@context",
        "@type",
        "@id",
        "@graph",
        "@value",
        "@list",
        "@reverse",
        "__proto__",
        "constructor",
        "a",
        "name",
      ),
      inner,
      { maxKeys: 5 },
    );
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("https://schema.org", "Order", "_:b", "@id", "", null, true, 7),
      fc.array(tie("value"), { maxLength: 3 }),
      text(tie("value")),
    ),
  })).value;
  await fc.assert(
    fc.asyncProperty(value, fc.constantFrom("compact", "expand", "flatten"), async (document, form) => {
      const result = await transformJsonLd(JSON.stringify(document) as JsonText, form);
      if (result !== undefined) JSON.parse(result);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
