import fc from "fast-check";
import { expect, test } from "vitest";

import type { JsonTree } from "../../src/admin/json-tree.ts";
import { memberOf, parseJsonTree, stringOf } from "../../src/admin/json-tree.ts";

/** Written back without white space. */
function written(tree: JsonTree): string {
  if (tree.kind === "scalar") return tree.text;
  if (tree.kind === "array") return `[${tree.items.map(written).join(",")}]`;
  return `{${tree.members.map(({ key, value }) => `${key}:${written(value)}`).join(",")}}`;
}

test("any JSON comes back as it was written", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 2, "\t"), (text, indent) => {
      const tree = parseJsonTree(JSON.stringify(JSON.parse(text), null, indent));
      expect(tree === undefined ? undefined : written(tree)).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("digits, order and names that stand twice are kept; the last one counts", () => {
  const text = '{"2":1152921506151679042,"1":1.10,"a":1e400,"a":"x\\u0041"}';
  const tree = parseJsonTree(text);
  expect(tree === undefined ? undefined : written(tree)).toBe(text);
  expect(stringOf(memberOf(tree, "a"))).toBe("xA");
});

test("what is no JSON gives nothing, and depth and length cost no more than their characters", () => {
  for (const text of ["", "{", "]", '{"a"', '"', "1 2", '{"a":1}}'])
    expect([text, parseJsonTree(text)]).toEqual([text, undefined]);
  expect(parseJsonTree(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)?.kind).toBe("array");
  expect(parseJsonTree(JSON.stringify('\\"'.repeat(1_000_000)))?.kind).toBe("scalar");
});
