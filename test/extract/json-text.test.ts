import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readJson } from "../../src/extract/json-text.ts";
import { anyJson } from "../support/any-json.ts";

const STRICT = { repair: false, maxDepth: 512 };
const LENIENT = { repair: true, maxDepth: 512 };
const valuesOf = (text: string, options = LENIENT) => {
  const reading = readJson(text, options);
  return reading.kind === "json" ? reading.values : reading;
};

describe("a text that is JSON", () => {
  test("is carried as its own text: digits, key order and duplicate names stay", () => {
    const text = '{"2": 12345678901234567890, "1": 1.10, "a": 1e400, "a": -0}';
    expect(readJson(` \r\n${text}\n`, STRICT)).toEqual({
      kind: "json",
      values: [text],
      repaired: [],
      duplicateKeys: ["/a"],
    });
  });

  test("may be any value, a scalar too", () => {
    for (const text of ["null", "false", '"x"', "1.0", "[]"]) expect(valuesOf(text, STRICT)).toEqual([text]);
  });

  test("comes out byte for byte whatever it holds, with repairs on or off", () => {
    fc.assert(
      fc.property(anyJson, (text) => {
        expect(valuesOf(text, STRICT)).toEqual([text]);
        expect(readJson(text, LENIENT)).toEqual(readJson(text, STRICT));
      }),
    );
  });

  test("names every member that stands twice, nested ones and escaped spellings too", () => {
    const reading = readJson('{"a/b": [{"c": 1, "\\u0063": 2}], "a/b": {"~": 1, "~": 2}}', STRICT);
    expect(reading).toMatchObject({ duplicateKeys: ["/a~1b", "/a~1b/0/c", "/a~1b/~0"] });
  });

  test("keeps __proto__ and constructor as data", () => {
    const text = '{"__proto__": {"a": 1}, "constructor": 2}';
    expect(readJson(text, STRICT)).toMatchObject({ values: [text], duplicateKeys: [] });
  });

  test("keeps half a surrogate pair as the escape JSON has for it", () => {
    expect(valuesOf('{"a":"\ud800x"}', STRICT)).toEqual(['{"a":"\\ud800x"}']);
  });

  test("of blanks only is empty", () => {
    expect(readJson(" \n\t ", LENIENT)).toEqual({ kind: "empty" });
  });
});

describe("the depth limit", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  test("counts containers: 512 are read, 513 are too deep", () => {
    expect(readJson(nested(512), STRICT).kind).toBe("json");
    expect(readJson(nested(513), STRICT)).toEqual({ kind: "too-deep" });
  });

  test("holds for damaged text as well, however deep", () => {
    expect(readJson(`${nested(513)};`, LENIENT)).toEqual({ kind: "too-deep" });
    expect(readJson("[".repeat(1_000_000), LENIENT)).toEqual({ kind: "too-deep" });
  });

  test("does not count brackets in strings", () => {
    expect(readJson(JSON.stringify("[".repeat(10_000)), STRICT).kind).toBe("json");
  });
});

describe("a text that is no JSON", () => {
  test.each([
    ['{"a": nope}', 1, 7, "a value is expected"],
    ['\n{"a": 1,\n "b" 2}', 3, 6, '":" is expected'],
    ["{'a': 1}", 1, 2, "a member name in double quotes is expected"],
    ['["a\nb"]', 1, 4, "a line break stands in a string"],
    ['["\\x"]', 1, 3, "an escape that JSON does not know stands in a string"],
    ['{"a": 1} b', 1, 10, "something stands behind the end of the JSON value"],
    ['{"a": 1', 1, 8, '"," or "}" is expected, but the text ends'],
    ['{"a": "b', 1, 9, "a string is never closed"],
  ])("says where and why: %s", (text, line, column, reason) => {
    expect(readJson(text, STRICT)).toEqual({ kind: "invalid", line, column, reason });
  });

  test("is refused exactly where the engine refuses it", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\u0019-+.eEtrualse \n')) }), (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(readJson(text, STRICT).kind === "json").toBe(isJson);
      }),
    );
  });

  test("with a string of ten million characters ends in a reason, not in the engine's stack", () => {
    const text = `{"a":"${"\\n".repeat(5_000_000)}"x}`;
    expect(readJson(text, LENIENT)).toMatchObject({ kind: "invalid", line: 1 });
  });
});
