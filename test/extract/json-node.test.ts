import fc from "fast-check";
import { expect, test } from "vitest";

import { duplicateKeysOf } from "../../src/extract/duplicate-keys.ts";
import { readNode } from "../../src/extract/json-node.ts";
import { readJson } from "../../src/extract/json-text.ts";
import { anyJson } from "../support/any-json.ts";

/** JSON with a few characters taken out or put in, so that it mostly is none any more. */
const nearlyJson = fc
  .tuple(anyJson, fc.nat(), fc.constantFrom("", ",", "{", "]", '"', "\\", "\n", "0", "-", "1e", "tru", " ", "\u00a0"))
  .map(([json, at, piece]) => {
    const place = at % (json.length + 1);
    return json.slice(0, place) + piece + json.slice(piece === "" ? place + 1 : place);
  });

test("our reader takes for JSON what the engine takes for JSON", () => {
  fc.assert(
    fc.property(fc.oneof(anyJson, nearlyJson), (text) => {
      let isValid = true;
      try {
        JSON.parse(text);
      } catch {
        isValid = false;
      }
      const reading = readNode(text, 512);
      expect(reading.kind === "node" && /^[ \t\r\n]*$/.test(text.slice(reading.end))).toBe(isValid);
    }),
    { numRuns: 2_000 },
  );
});

test("the names that stand twice are the same with and without the tree", () => {
  fc.assert(
    fc.property(anyJson, (text) => {
      const pointers = new Set<string>();
      const without = readNode(text, 512, 0, { kind: "duplicates", pointers });
      const tree = readNode(text, 512);
      expect(without.kind).toBe(tree.kind);
      expect(pointers).toEqual(new Set(tree.kind === "node" ? duplicateKeysOf(tree.node) : []));
    }),
    { numRuns: 2_000 },
  );
});

test("a long text is read without a tree: its depth, its damage and its duplicates are told all the same", () => {
  const filler = `${" ".repeat(2_100_000)}`;
  const options = { repair: true, maxDepth: 512 };
  expect(readJson(`{"a":{"b":1,${filler}"b":1.10}}`, options)).toMatchObject({ kind: "json", duplicateKeys: ["/a/b"] });
  expect(readJson(`[1${filler},]`, options)).toMatchObject({
    kind: "invalid",
    line: 1,
    column: 2_100_004,
    reason: expect.stringMatching(/^a value is expected; .* are not mended$/),
  });
  expect(readJson(`${"[".repeat(513)}${filler}${"]".repeat(513)}`, options)).toEqual({ kind: "too-deep" });
  expect(readJson(`[1]${filler}[2]`, options)).toMatchObject({ kind: "invalid", column: 2_100_004 });
});
