import fc from "fast-check";
import { expect, test } from "vitest";

import type { FormField } from "../../src/parse/body-fields.ts";
import { parseUrlencoded } from "../../src/parse/body-fields.ts";
import { treeOfFields } from "../../src/parse/body-tree.ts";

const tree = (text: string): string => {
  const reading = parseUrlencoded(Buffer.from(text), 1_000);
  if (reading.kind !== "fields") throw new Error(reading.kind);
  return treeOfFields(reading.fields, { depth: 8 });
};

test.each([
  ["a=1&b=x+y&c=%C3%A4", '{"a":"1","b":"x y","c":"ä"}'],
  ["a=1&b=2&a=3", '{"a":["1","3"],"b":"2"}'],
  ["a[]=1", '{"a":["1"]}'],
  ["a[]=1&a[]=2&a=3", '{"a":["1","2","3"]}'],
  ["a[b]=1&a[c][d]=2", '{"a":{"b":"1","c":{"d":"2"}}}'],
  ["a[0]=x&a[1]=y", '{"a":["x","y"]}'],
  ["a[1]=y&a[0]=x", '{"a":["x","y"]}'],
  ["a[0][n]=1&a[0][m]=2&a[1][n]=3", '{"a":[{"n":"1","m":"2"},{"n":"3"}]}'],
  ["a[0]=x&a[2]=z", '{"a":{"0":"x","2":"z"}}'],
  ["a[01]=x", '{"a":{"01":"x"}}'],
  ["0=x", '{"0":"x"}'],
  ["a=1&a[b]=2", '{"a":"1","a[b]":"2"}'],
  ["a[b]=2&a=1", '{"a":{"b":"2","":"1"}}'],
  ["a[b]=2&a=1&a=3", '{"a":{"b":"2","":["1","3"]}}'],
  ["a[b=1&]a=2&[c]=3&d[][e]=4&f[g]h=5", '{"a[b":"1","]a":"2","[c]":"3","d[][e]":"4","f[g]h":"5"}'],
  [`a${"[b]".repeat(9)}=1`, `{"a${"[b]".repeat(9)}":"1"}`],
  ["__proto__=1&constructor[prototype][x]=2", '{"__proto__":"1","constructor":{"prototype":{"x":"2"}}}'],
  ["=1&&a&b=", '{"":"1","a":"","b":""}'],
  ["a=%&b=%zz&c=%4", '{"a":"%","b":"%zz","c":"%4"}'],
])("%s", (text, json) => {
  expect(tree(text)).toBe(json);
});

test("no value is lost, whatever the names", () => {
  const name = fc
    .array(fc.constantFrom("a", "b", "[", "]", "[]", "[a]", "[0]", "[1]"), { minLength: 1, maxLength: 5 })
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 12 }), (names) => {
      const fields = names.map((each, index): FormField => [each, `v${index}`]);
      const text = treeOfFields(fields, { depth: 2 });
      JSON.parse(text);
      const found = [...text.matchAll(/"(v\d+)"(?!:)/g)].map(([, value]) => value);
      expect(new Set(found)).toEqual(new Set(fields.map(([, value]) => value)));
      expect(found).toHaveLength(fields.length);
    }),
  );
});

test("many fields of one name, and many names, cost no more than their number", () => {
  const many = Array.from({ length: 20_000 }, (_, index): FormField => [index % 2 === 0 ? "a" : `b[${index}][c]`, "x"]);
  expect(treeOfFields(many, { depth: 8 }).length).toBeGreaterThan(100_000);
});
