import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { findInProse } from "../../src/extract/prose.ts";
import { anyJsonObject } from "../support/any-json.ts";

const OPTIONS = { repair: true, maxDepth: 512, maxItems: 1_000 };
const found = (text: string) => findInProse(text, OPTIONS).items.map(({ value }) => value as string);

describe("JSON in a text", () => {
  test("is found when it is the whole text, an empty object and [1] too", () => {
    for (const text of ['{"a": 1.10}', "{}", "[]", "[1]"]) expect(found(`\r\n ${text}\r\n\r\n`)).toEqual([text]);
  });

  test("is found in a fence of backticks or tildes, whatever its info string, [1] too", () => {
    expect(found('Hi\n\n```json\n{"a": 1}\n```\nand\n~~~~\n[1]\n~~~~\nBye')).toEqual(['{"a": 1}', "[1]"]);
    expect(found('Hi\n```\n{"a": 1}\n')).toEqual(['{"a": 1}']);
  });

  test("is found where it stands alone between lines of prose, over several lines, several times", () => {
    const text = 'Dear all,\r\n\r\nthe order:\r\n{\r\n  "a": [1,\r\n 2]\r\n}\r\nand\r\n  [{"b": 2}]  \r\n\r\nBye';
    expect(found(text)).toEqual(['{\r\n  "a": [1,\r\n 2]\r\n}', '[{"b": 2}]']);
  });

  test("one value a line is one item each, also two on one line", () => {
    expect(found('Log:\n{"a":1}\n{"a":2} {"a":3}\n')).toEqual(['{"a":1}', '{"a":2}', '{"a":3}']);
  });

  test("survives a signature and what a mailing list puts below", () => {
    expect(found('{"a": 1}\n\n-- \nBob {CEO} [ACME]\n____\nlist mailing list\n')).toEqual(['{"a": 1}']);
  });

  test("survives quoting, and the item says that it was quoted", () => {
    const text = 'On Monday Ann wrote:\n> Hi,\n>\n> > {\n> >   "a": 1\n> > }\n> bye\n';
    expect(findInProse(text, OPTIONS).items).toMatchObject([{ value: '{\n  "a": 1\n}', quoted: true, line: 4 }]);
  });

  test("survives no-break spaces: between tokens they are mended by name, in strings they are the sender's", () => {
    const text = 'Hi\n{\n\u00a0\u00a0"a":\u00a0"x\u00a0y"\n}\n';
    expect(findInProse(text, OPTIONS).items).toMatchObject([{ value: '{\n  "a": "x\u00a0y"\n}', repaired: ["nbsp"] }]);
    expect(findInProse(text, { ...OPTIONS, repair: false }).items).toEqual([]);
    expect(findInProse('\u00a0{"a":"\u00a0"}\u00a0', OPTIONS).items).toMatchObject([
      { value: '{"a":"\u00a0"}', repaired: [] },
    ]);
  });

  test("survives invisible characters between tokens, by their own name", () => {
    const text = 'Hi\n\u200b{\n\u200b"a":\u200c"x\u200by",\u00a0"n":\u206012\n}\n';
    expect(findInProse(text, OPTIONS).items).toMatchObject([
      { value: '{\n "a": "x\u200by", "n": 12\n}', repaired: ["nbsp", "invisible-characters"] },
    ]);
    expect(findInProse('\u200b{"a":1}\u200b', OPTIONS).items).toMatchObject([{ value: '{"a":1}', repaired: [] }]);
    expect(findInProse('{"a":1\u200b2}', OPTIONS).items).toEqual([]);
  });

  test("comes out byte for byte, whatever object it is and whatever stands around it", () => {
    const line = fc.constantFrom(
      "Hello,",
      "",
      "see {name} and [1]",
      "[image: logo]",
      "> quoted",
      "-- ",
      "Bob }",
      "f(x) = {",
      "3 > 2",
    );
    fc.assert(
      fc.property(anyJsonObject, fc.array(line), fc.array(line), (json, before, after) => {
        // A brace that opens in the line before would make the JSON a part of something damaged.
        const text = [...before.filter((one) => !one.endsWith("{")), json, ...after].join("\n");
        expect(found(text)).toContain(json);
      }),
    );
  });
});

describe("prose with braces", () => {
  test.each([
    "Hello {name}, your code is {{code}}.",
    "{name}\n[1]\n[12]\n[ ]\n[x]\n{}\n[]\n{ }\n[image: x]\n[1] http://shop.example/\n[cid:logo.png@01D]",
    'Data: {"a":1} as discussed',
    '{"a":1} and so on',
    '{"a":1},',
    "int main() {\n  return 0;\n}\n",
    "{ a: 1 }",
    "[Ann, Bob]",
    "{{#each items}}\n{{/each}}",
    "}{][",
    "{",
    "[\n[\n[",
  ])("gives no item: %j", (text) => {
    expect(found(text)).toEqual([]);
  });

  test("in which damaged JSON stands says where, and takes nothing out of its inside", () => {
    const text = 'Hi\n{\n  "a": [\n    {"b": 1}\n  ],\n  bad\n}\nbut\n{"c": 3}\n';
    const { items, failures } = findInProse(text, OPTIONS);
    expect(items.map(({ value }) => value)).toEqual(['{"c": 3}']);
    expect(failures).toEqual([
      { line: 6, column: 3, reason: "a member name in double quotes is expected", quoted: false },
    ]);
  });

  test("a text of more values than it may hold is not looked through to its end", () => {
    const reading = findInProse('{"a":1}\n'.repeat(5_000), OPTIONS);
    expect(reading).toMatchObject({ tooMany: true, items: { length: 1_001 } });
    expect(findInProse('{"a":1}\n'.repeat(1_000), OPTIONS).tooMany).toBe(false);
  });

  test("nested deeper than the limit counts only when it is JSON", () => {
    const deep = `${"[".repeat(600)}{"a":1}${"]".repeat(600)}`;
    expect(findInProse(`Hi\n${deep}\n`, OPTIONS).tooDeep).toBe(true);
    expect(findInProse(deep, OPTIONS).tooDeep).toBe(true);
    expect(findInProse(`Hi\n${"[".repeat(100_000)}\n`, OPTIONS)).toEqual({
      items: [],
      failures: [],
      tooDeep: false,
      tooMany: false,
    });
  });
});
