import fc from "fast-check";
import { expect, test } from "vitest";

import { parseNode, writeNode } from "../../src/extract/json-node.ts";
import { ValueIndex, canonicalOf } from "../../src/extract/same-value.ts";
import type { JsonText } from "../../src/model/mail.ts";
import { anyJson } from "../support/any-json.ts";

const canonical = (text: string) => canonicalOf(parseNode(text as JsonText));

test.each([
  ['{"a":1,"b":2}', '{ "b" : 2, "a" : 1 }'],
  ['"a"', '"\\u0061"'],
  ['{"a":1,"a":2}', '{"a":2}'],
  ['"\\/"', '"/"'],
])("%s and %s are the same value", (one, other) => {
  expect(canonical(one)).toBe(canonical(other));
});

test.each([
  ["1", "1.0"],
  ["1e2", "100"],
  ["[1,2]", "[2,1]"],
  ['"1"', "1"],
  ["{}", "[]"],
  ["null", '"null"'],
  ['{"a":{"b":1}}', '{"a":1,"b":{}}'],
  ['["a,","b"]', '["a",",b"]'],
  ["12345678901234567890", "12345678901234567891"],
])("%s and %s are two values", (one, other) => {
  expect(canonical(one)).not.toBe(canonical(other));
});

test("a tree writes what it was read from, but for blanks, and is then the same value", () => {
  fc.assert(
    fc.property(anyJson, (text) => {
      const written = writeNode(parseNode(text as JsonText));
      expect(JSON.stringify(JSON.parse(written))).toBe(JSON.stringify(JSON.parse(text)));
      expect(canonical(written)).toBe(canonical(text));
    }),
  );
});

test("an index finds the first of equal values", () => {
  const index = new ValueIndex<string>();
  const add = (text: string, entry: string) => index.findOrAdd(text as JsonText, entry);
  expect([add('{"a":1}', "first"), add("2", "second"), add('{ "a": 1 }', "third"), add("2", "fourth")]).toEqual([
    undefined,
    undefined,
    "first",
    "second",
  ]);
});
