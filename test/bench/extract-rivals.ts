import { load } from "cheerio";
import { Parser } from "htmlparser2";
import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";

import { extract } from "../../src/library.ts";

/**
 * What a tool finds in a mail, each thing once, as a name that is comparable: a JSON text parsed and written again, or
 * `microdata` with the type of a top-level item.
 */
export type Finder = (mail: Buffer) => Promise<ReadonlySet<string>>;

const JSON_TYPE = /^\s*(?:application\/(?:[^\s;]+\+)?json|text\/json)\s*(?:;|$)/i;
const JSON_NAME = /\.(?:json|jsonld)$/i;

/** What we are measured by: the package's own `extract`. */
export const ours: Finder = async (mail) => {
  const { items } = await extract(mail, { as: "mail" });
  const found = new Set<string>();
  for (const { format, types, json } of items) {
    if (format === "microdata") found.add(microdata(types[0]));
    else addJson(found, json);
  }
  return found;
};

/** The usual Node answer: mailparser for the mail, cheerio for its HTML. */
export const mailparserAndCheerio: Finder = async (mail) => {
  const found = new Set<string>();
  const { html, attachments } = await simpleParser(mail);
  for (const { contentType, filename, content } of attachments)
    if (JSON_TYPE.test(contentType) || JSON_NAME.test(filename ?? "")) addJson(found, content.toString("utf8"));
  if (html === false || html === undefined) return found;
  const page = load(html);
  page("script[type]").each((_, element) => {
    const script = page(element);
    if (JSON_TYPE.test(script.attr("type") ?? "")) addJson(found, script.text());
  });
  page("[itemscope]:not([itemprop])").each((_, element) => {
    const item = page(element);
    const properties = new Map<string, string>();
    item.find("[itemprop]").each((_index, property) => {
      const { itemprop = "", content, href, src } = property.attribs;
      properties.set(itemprop, content ?? href ?? src ?? page(property).text().trim());
    });
    if (properties.size > 0) found.add(microdata(item.attr("itemtype")));
  });
  return found;
};

/** The fast Node answer: postal-mime for the mail, a htmlparser2 stream for its HTML. */
export const postalMimeAndHtmlparser2: Finder = async (mail) => {
  const found = new Set<string>();
  const { html, attachments } = await PostalMime.parse(mail);
  for (const { mimeType, filename, content } of attachments)
    if (JSON_TYPE.test(mimeType) || JSON_NAME.test(filename ?? "")) addJson(found, textOf(content));
  if (html === undefined) return found;
  const stream = new MarkupStream(found);
  const parser = new Parser(stream);
  parser.end(html);
  return found;
};

/** Scripts and microdata off a stream of tags: the least that finds both. */
class MarkupStream {
  readonly #found: Set<string>;
  #script: string[] | undefined;
  #depth = 0;
  readonly #items: { readonly type: string | undefined; readonly depth: number; properties: number }[] = [];
  readonly #values: { readonly depth: number; readonly text: string[] }[] = [];

  constructor(found: Set<string>) {
    this.#found = found;
  }

  onopentag(name: string, attributes: Record<string, string>): void {
    this.#depth += 1;
    if (name === "script" && JSON_TYPE.test(attributes["type"] ?? "")) this.#script = [];
    if ("itemprop" in attributes) {
      for (const item of this.#items) item.properties += 1;
      const { content, href, src } = attributes;
      if ((content ?? href ?? src) === undefined) this.#values.push({ depth: this.#depth, text: [] });
    } else if ("itemscope" in attributes)
      this.#items.push({ type: attributes["itemtype"], depth: this.#depth, properties: 0 });
  }

  ontext(text: string): void {
    this.#script?.push(text);
    for (const value of this.#values) value.text.push(text);
  }

  onclosetag(name: string): void {
    if (name === "script" && this.#script !== undefined) {
      addJson(this.#found, this.#script.join(""));
      this.#script = undefined;
    }
    if (this.#values.at(-1)?.depth === this.#depth) this.#values.pop()?.text.join("").trim();
    const item = this.#items.at(-1)?.depth === this.#depth ? this.#items.pop() : undefined;
    if (item !== undefined && item.properties > 0) this.#found.add(microdata(item.type));
    this.#depth -= 1;
  }
}

function addJson(found: Set<string>, text: string): void {
  try {
    found.add(JSON.stringify(JSON.parse(text)));
  } catch {
    // Damaged: these tools find nothing here, and ours has mended it before.
  }
}

function microdata(type: string | undefined): string {
  const first = type?.trim().split(/\s+/)[0] ?? "";
  return `microdata ${first.replace(/^http:\/\/(?:www\.)?schema\.org\//i, "https://schema.org/")}`;
}

function textOf(content: string | ArrayBuffer | Uint8Array): string {
  return typeof content === "string" ? content : Buffer.from(content as ArrayBuffer).toString("utf8");
}
