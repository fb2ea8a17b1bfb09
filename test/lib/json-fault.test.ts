import fc from "fast-check";
import { expect, test } from "vitest";

import { jsonFaultOf } from "../../src/lib/json-fault.ts";

const DEPTH = 50;
const isJson = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test.each([
  ["", "unexpected end of input", 1, 1],
  ["{", "unexpected end of input", 1, 2],
  ['{"a":\n  hunter2}', "unexpected character", 2, 3],
  ['{"a": 1,\n}', "unexpected }", 2, 1],
  ["[1,]", "unexpected ]", 1, 4],
  ['{"a" "b"}', "unexpected text", 1, 6],
  ['{"a": 1 2}', "unexpected value", 1, 9],
  ["{'a': 1}", "unexpected ', where names and texts stand between \"", 1, 2],
  ['["a\nb"]', "text that is not ended, or holds a control character or a wrong escape", 1, 2],
  ["[1]\n[2]", "unexpected [", 2, 1],
  ["[1]]", "unexpected ]", 1, 4],
  ["1 x", "more text behind the value", 1, 3],
  ["nulls", "unexpected character", 1, 1],
  [`${"[".repeat(51)}`, "nested deeper than 50 levels", 1, 51],
])("%j: %s at line %i, column %i", (text, what, line, column) => {
  expect(jsonFaultOf(text, DEPTH)).toEqual({ what, line, column });
});

test("it has a fault where JSON.parse has one, and only there", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"\\u00e4\\n"',
    '"\\x"',
    '"',
    "1",
    "-0.5e+3",
    "01",
    "1.",
    "true",
    "nul",
    " ",
    "\n",
    "\u00a0",
    "'",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      expect(jsonFaultOf(text, DEPTH) === undefined, text).toBe(isJson(text));
    }),
    { numRuns: 20_000 },
  );
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(jsonFaultOf(text, DEPTH), text).toBeUndefined();
    }),
  );
});
