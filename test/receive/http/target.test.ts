import { expect, test } from "vitest";

import { parseTarget } from "../../../src/receive/http/target.ts";

const hook = (kind: string, hookId: string, page = "") => ({ kind, hookId, page });

test.each([
  ["a hook", "/v1/hooks/form/abc", hook("form", "abc")],
  ["a slash behind it", "/v1/hooks/form/abc/", hook("form", "abc")],
  ["a page of it", "/v1/hooks/form/abc/thanks", hook("form", "abc", "thanks")],
  ["a query, whatever it holds", "/v1/hooks/web/abc?a=%zz/b", hook("web", "abc")],
  ["a fragment, which no client should send", "/v1/hooks/web/abc#x", hook("web", "abc")],
  ["escapes of what needs none", "/%761/hooks/%66orm/%61bc", hook("form", "abc")],
  ["letters beyond ASCII", "/v1/hooks/form/%C3%A4", hook("form", "ä")],
  ["the absolute form", "http://posthorn.example:8080/v1/hooks/form/abc?x", hook("form", "abc")],
])("%s is read", (_, target, wanted) => {
  expect(parseTarget(target)).toEqual(wanted);
});

test.each([
  ["the root", "/"],
  ["the server itself", "*"],
  ["the absolute form of the root", "http://posthorn.example"],
  ["no hook", "/v1/hooks/form"],
  ["an empty hook", "/v1/hooks/form/"],
  ["an empty kind", "/v1/hooks//abc"],
  ["a double slash", "//v1/hooks/form/abc"],
  ["more behind a page", "/v1/hooks/form/abc/thanks/"],
  ["capital letters", "/V1/hooks/form/abc"],
  ["another version", "/v2/hooks/form/abc"],
])("%s is the path of no hook", (_, target) => {
  expect(parseTarget(target)).toBeUndefined();
});

test("a slash that is escaped divides nothing", () => {
  expect(parseTarget("/v1/hooks/form/abc%2Fthanks")).toEqual(hook("form", "abc%2Fthanks"));
});

test.each([["/v1/hooks/form/%zz"], ["/x/%"], ["/v1/hooks/form/%ff"], ["v1/hooks/form/abc"], ["?"], [""]])(
  "%j is malformed",
  (target) => {
    expect(parseTarget(target)).toBe("malformed");
  },
);
