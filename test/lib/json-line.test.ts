import { expect, test } from "vitest";

import { lineOfPointer } from "../../src/lib/json-line.ts";

const TEXT = `{
  "app": "shop",
  "hooks": [
    { "eventName": "a" },
    {
      "a/b": 1,
      "type": "emial"
    }
  ]
}`;

test.for([
  ["", 1],
  ["/app", 2],
  ["/hooks", 3],
  ["/hooks/0", 4],
  ["/hooks/0/eventName", 4],
  ["/hooks/1", 5],
  ["/hooks/1/a~1b", 6],
  ["/hooks/1/type", 7],
] as const)("%s is found on its line", ([pointer, line]) => {
  expect(lineOfPointer(TEXT, pointer)).toBe(line);
});

test("what is missing leads to its parent, and what is no JSON to some line of it", () => {
  expect(lineOfPointer(TEXT, "/hooks/1/eventName")).toBe(5);
  expect(lineOfPointer(TEXT, "/hooks/7/type")).toBe(3);
  expect(lineOfPointer('{"a": \n "\n', "/a")).toBeLessThanOrEqual(3);
});
