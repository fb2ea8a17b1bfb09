import fc from "fast-check";
import { expect, test } from "vitest";

import { onOneLine } from "../../src/lib/json-on-one-line.ts";

test("line breaks and blanks between tokens go; strings, digits and keys stay as they are", () => {
  expect(
    onOneLine(
      '{\r\n "b" :\t1.10,\n"a b":[ 12345678901234567890 , -0.0e+1 ],\n"c\\" :":" \\n  x ",\n"d":"\u2028 \\u0020"}\n',
    ),
  ).toBe('{"b":1.10,"a b":[12345678901234567890,-0.0e+1],"c\\" :":" \\n  x ","d":"\u2028 \\u0020"}');
});

test("any JSON, however it is laid out, is the same value on one line", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 4, "\t", "\n\r "), (value, indent) => {
      const line = onOneLine(JSON.stringify(value, null, indent));
      expect(line).toBe(JSON.stringify(value));
    }),
  );
});
