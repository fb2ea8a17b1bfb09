import fc from "fast-check";
import { expect, test } from "vitest";

import { findMicrodata } from "../../src/extract/microdata.ts";

const limits = { htmlDepth: 512, htmlNodes: 20_000 };
const inAttribute = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

test("any property value comes back as it is, whatever it holds", () => {
  const text = fc.string({ unit: "grapheme" }).filter((value) => !/[\0\r]/.test(value));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (values) => {
      const metas = values.map((value) => `<meta itemprop="p" content="${inAttribute(value)}">`).join("");
      const reading = findMicrodata(
        `<div itemscope itemtype="https://schema.org/Order">${metas}</div>`,
        undefined,
        limits,
      );
      const value: unknown = reading.kind === "items" ? JSON.parse(reading.items[0]?.value ?? "") : reading;
      expect(value).toEqual({
        "@context": "https://schema.org",
        "@type": "Order",
        p: values.length === 1 ? values[0] : values,
      });
    }),
  );
});
