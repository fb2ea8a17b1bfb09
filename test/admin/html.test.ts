import fc from "fast-check";
import { parse } from "parse5";
import { expect, test } from "vitest";

import { html } from "../../src/admin/html.ts";

interface Node {
  readonly nodeName: string;
  readonly value?: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly Node[];
}

/** The first element of that name in a parsed page. */
function elementIn(node: Node, name: string): Node | undefined {
  if (node.nodeName === name) return node;
  for (const child of node.childNodes ?? []) {
    const found = elementIn(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("<", ">", '"', "'", "&", "`", "=", "/", "-", "!", "script", " ", "\0", "a") }),
);

test("whatever a value is, a browser reads it back as text and as an attribute, and nothing else comes of it", () => {
  fc.assert(
    fc.property(hostile, (value) => {
      const page = parse(html`<main title="${value}">${value}</main>`.toString()) as unknown as Node;
      const main = elementIn(page, "main");
      const shown = value
        .replace(/\r\n?/g, "\n")
        .replace(/\p{Cc}/gu, (control) => (/[\t\n]/.test(control) ? control : "\uFFFD"));
      expect(main?.attrs).toEqual([{ name: "title", value: shown }]);
      expect(main?.childNodes?.map(({ nodeName }) => nodeName)).toEqual(shown === "" ? [] : ["#text"]);
      expect(main?.childNodes?.[0]?.value ?? "").toBe(shown);
    }),
  );
});

test("pieces of HTML stand as they are, lists are joined, and nothing leaves nothing", () => {
  const items = ["<a>", "b"].map((item) => html`<li>${item}</li>`);
  expect(html`${items}${null}${undefined}${false}${0}`.toString()).toBe("<li>&lt;a&gt;</li><li>b</li>0");
});
