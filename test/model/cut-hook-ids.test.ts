import { describe, expect, test } from "vitest";

import { hookIdCutter } from "../../src/model/cut-hook-ids.ts";
import { hookIdOf } from "../../src/model/hook-id.ts";

const ID = hookIdOf(Uint8Array.from({ length: 16 }, (_, index) => index * 13 + 100));
/** Of a hook that this message was not sent to. */
const OTHER = hookIdOf(Uint8Array.from({ length: 16 }, (_, index) => index * 7 + 31));
const SHORT = `${ID.slice(0, 4)}…`;
const OTHER_SHORT = `${OTHER.slice(0, 4)}…`;
const cut = hookIdCutter([ID]);

test.each([
  ["alone", ID, SHORT],
  ["in capitals", ID.toUpperCase(), SHORT.toUpperCase()],
  ["glued to other characters", `3d${ID}40`, `3d${SHORT}40`],
  ["twice", `${ID}${ID} ${ID}`, `${SHORT}${SHORT} ${SHORT}`],
  ["inside a URL", `/v1/hooks/form/${ID}?x=1`, `/v1/hooks/form/${SHORT}?x=1`],
  ["with quoted pairs", `"${ID.replace(/./g, "\\$&")}"@a`, `"${SHORT}"@a`],
  ["beside another backslash", `a\\b ${ID}`, `a\\b ${SHORT}`],
])("an id that is known is cut wherever it stands: %s", (_name, text, expected) => {
  expect(cut(text)).toBe(expected);
  expect(cut(text, "message-id")).toBe(expected);
});

test("the Kelvin sign hides no id, because it is a k in lower case", () => {
  const withK = hookIdOf(new Uint8Array(16).fill(0x9c));
  expect(withK).toContain("k");
  expect(hookIdCutter([withK])(`${withK.replaceAll("k", "\u212A")}@a`)).not.toMatch(/.{10,}@/);
});

describe("a local part shaped like an id", () => {
  test.each([
    ["an address", `<${OTHER}@hooks.example>`, `<${OTHER_SHORT}@hooks.example>`],
    ["in capitals", `${OTHER.toUpperCase()}@hooks.example`, `${OTHER_SHORT.toUpperCase()}@hooks.example`],
    ["with a tag", `${OTHER}+tag@hooks.example`, `${OTHER_SHORT}+tag@hooks.example`],
    ["with an odd tag", `${OTHER}+$JS.API.*@hooks.example`, `${OTHER_SHORT}+$JS.API.*@hooks.example`],
    ["quoted", `"${OTHER}"@hooks.example`, `"${OTHER_SHORT}"@hooks.example`],
    ["quoted with a tag", `"${OTHER}+t"@hooks.example`, `"${OTHER_SHORT}+t"@hooks.example`],
    ["VERP", `${OTHER}=hooks.example@lists.example`, `${OTHER_SHORT}=hooks.example@lists.example`],
    ["VERP behind a name", `u+${OTHER}=hooks.example@a.example`, `u+${OTHER_SHORT}=hooks.example@a.example`],
    ["VERP behind a dash", `bounces-${OTHER}=a.example@b.example`, `bounces-${OTHER_SHORT}=a.example@b.example`],
    ["VERP with a number", `${OTHER}=a.example+17@b.example`, `${OTHER_SHORT}=a.example+17@b.example`],
    ["SRS", `SRS0=HHH=TT=a.example=${OTHER}@b.example`, `SRS0=HHH=TT=a.example=${OTHER_SHORT}@b.example`],
    ["BATV", `prvs=1234567890=${OTHER}@a.example`, `prvs=1234567890=${OTHER_SHORT}@a.example`],
    ["percent hack", `${OTHER}%a.example@b.example`, `${OTHER_SHORT}%a.example@b.example`],
    ["encoded in a mailto link", `mailto:${OTHER}%40a.example`, `mailto:${OTHER_SHORT}%40a.example`],
    ["encoded in VERP", `b-${OTHER}=40a.example@b.example`, `b-${OTHER_SHORT}=40a.example@b.example`],
    ["in prose", `Order for ${OTHER}@a.example.`, `Order for ${OTHER_SHORT}@a.example.`],
  ])("is cut: %s", (_name, text, expected) => {
    expect(cut(text)).toBe(expected);
  });

  test.each([
    ["a ULID alone", "01HZXK3V8R5T7W9Y0A1B2C3D4E"],
    ["longer", `${OTHER}0@a.example`],
    ["behind other characters", `u${OTHER}@a.example`],
    ["base64", `b=/${OTHER}+abc/${OTHER}=; d=a.example`],
    ["base32 with padding", `${OTHER}======`],
  ])("is cut nowhere else: %s", (_name, text) => {
    expect(cut(text)).toBe(text);
  });

  test("is left alone in message ids: many mailers use ULIDs there", () => {
    const id = "<01HZXK3V8R5T7W9Y0A1B2C3D4E@mail.example>";
    expect(cut(id, "message-id")).toBe(id);
  });
});

test("a long run of the alphabet is cut in linear time", () => {
  const run = "0123456789abcdefghjk".repeat(20_000);
  expect(cut(run + ID)).toBe(run + SHORT);
  expect(cut(`\\${run}\\`)).toBe(`\\${run}\\`);
});
