import { SaxesParser } from "saxes";

import type { JsonText } from "../model/mail.ts";
import { readStrictly } from "./charset.ts";

export type XmlReading =
  | { readonly kind: "payload"; readonly payload: JsonText }
  | { readonly kind: "malformed"; readonly detail: string };

interface Element {
  readonly attributes: readonly (readonly [string, string])[];
  readonly children: Map<string, Value[]>;
  text: string;
}
type Value = string;

/**
 * An XML body as JSON, by the rule of contract §3: `{ "root": { "@attr": "v", "child": …, "#text": … } }`.
 *
 * A repeated child is an array, every value a string; an element with neither attributes nor children is its text. Text
 * beside children is `#text`, its outer blanks taken off; names keep their prefix. A DOCTYPE is refused, and with it
 * every entity but the five of XML itself: nothing is expanded and nothing is fetched. Never throws.
 *
 * Source: XML 1.0 §4.6; OWASP "XML External Entity Prevention".
 */
export function readXmlBody(body: Uint8Array, charset: string, limits: { readonly depth: number }): XmlReading {
  const text = decode(body, charset);
  if (text === undefined) return { kind: "malformed", detail: "The XML is not valid in its charset" };
  const parser = new SaxesParser({ xmlns: false, position: true });
  const open: { readonly name: string; readonly element: Element }[] = [];
  let root: string | undefined;
  parser.on("doctype", () => {
    throw new XmlProblem("a DOCTYPE is not taken");
  });
  parser.on("error", (error) => {
    throw new XmlProblem(whatOf(error));
  });
  parser.on("opentag", ({ name, attributes }) => {
    if (open.length >= limits.depth) throw new XmlProblem(`elements nest deeper than ${limits.depth}`);
    open.push({ name, element: { attributes: Object.entries(attributes), children: new Map(), text: "" } });
  });
  const addText = (piece: string) => {
    const top = open.at(-1);
    if (top !== undefined) top.element.text += piece;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    const closed = open.pop();
    if (closed === undefined) return;
    const value = write(closed.element);
    const parent = open.at(-1);
    if (parent === undefined) root = `{${JSON.stringify(closed.name)}:${value}}`;
    else {
      const known = parent.element.children.get(closed.name);
      if (known === undefined) parent.element.children.set(closed.name, [value]);
      else known.push(value);
    }
  });
  try {
    parser.write(text).close();
  } catch (error) {
    if (!(error instanceof XmlProblem)) throw error;
    return { kind: "malformed", detail: `No XML: line ${parser.line}, column ${parser.column}: ${error.message}` };
  }
  return root === undefined
    ? { kind: "malformed", detail: "No XML: there is no root element" }
    : { kind: "payload", payload: root as JsonText };
}

class XmlProblem extends Error {}

/** Saxes quotes what it found behind a colon or a period; the sender's bytes do not go into our answers. */
function whatOf(error: Error): string {
  return (
    error.message
      .replace(/^\d+:\d+: /, "")
      .split(/[:"\n]/, 1)[0]
      ?.trim()
      .slice(0, 80) ?? ""
  );
}

/** Put together by `+=` only, whose cost is not that of the text again at each level. */
function write({ attributes, children, text }: Element): Value {
  if (attributes.length === 0 && children.size === 0) return JSON.stringify(text);
  let members = "";
  const add = (name: string, value: string) => {
    members += `${members === "" ? "" : ","}${JSON.stringify(name)}:${value}`;
  };
  for (const [name, value] of attributes) add(`@${name}`, JSON.stringify(value));
  for (const [name, values] of children) {
    let list = "";
    for (const value of values) list += list === "" ? value : `,${value}`;
    add(name, values.length === 1 ? list : `[${list}]`);
  }
  const own = text.trim();
  if (own !== "") add("#text", JSON.stringify(children.size === 0 ? text : own));
  return `{${members}}`;
}

/** By a byte order mark or as UTF-8, else in the charset of the header, else of the XML declaration (RFC 7303 §3). */
function decode(body: Uint8Array, charset: string): string | undefined {
  const declared = /^<\?xml[^>]{1,200}encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/.exec(
    Buffer.from(body.subarray(0, 256)).toString("latin1"),
  )?.[1];
  return readStrictly(body, charset || (declared ?? ""), "text");
}
