import type { JsonText } from "../model/mail.ts";
import type { Element } from "./html-tree.ts";
import { attributeOf, childrenOf, elementsIn, isElement, isQuoted, parseTree, textContentOf } from "./html-tree.ts";
import { absoluteType } from "./types.ts";

/** One top-level microdata item, as JSON-LD. */
export interface MicrodataItem {
  readonly types: readonly string[];
  readonly value: JsonText;
  readonly quoted: boolean;
}

export type MicrodataReading =
  | { readonly kind: "items"; readonly items: readonly MicrodataItem[] }
  | { readonly kind: "too-deep" };

interface Properties {
  readonly type: readonly string[];
  readonly id: string | undefined;
  readonly values: Map<string, (string | Properties)[]>;
}

const URL_ATTRIBUTES: Readonly<Record<string, string>> = {
  audio: "src",
  embed: "src",
  iframe: "src",
  img: "src",
  source: "src",
  track: "src",
  video: "src",
  a: "href",
  area: "href",
  link: "href",
  object: "data",
};
const MAX_NESTED_ITEMS = 200;

/**
 * The microdata of a page by the WHATWG algorithm, mapped to JSON-LD: schema.org types become `@type` under its context,
 * other vocabularies keep full addresses. RDFa is another language and gives nothing.
 *
 * Source: WHATWG HTML §5.2 to §5.5 ("Microdata"); W3C "Microdata to RDF", Second Edition, for the vocabulary.
 */
export function findMicrodata(html: string, baseUrl: string | undefined, maxDepth: number): MicrodataReading {
  if (!/\sitemscope/i.test(html)) return { kind: "items", items: [] };
  const document = parseTree(html);
  const byId = new Map<string, Element>();
  const tops: Element[] = [];
  for (const { element, depth } of elementsIn(document)) {
    if (depth > maxDepth) return { kind: "too-deep" };
    const id = attributeOf(element, "id");
    if (id !== undefined && id !== "" && !byId.has(id)) byId.set(id, element);
    if (attributeOf(element, "itemscope") !== undefined && attributeOf(element, "itemprop") === undefined)
      tops.push(element);
  }
  const page = { byId, baseUrl };
  const items = tops.map((element) => {
    const item = itemOf(element, page, []);
    return {
      types: item.type.map(absoluteType),
      value: JSON.stringify(asJsonLd(item, true)) as JsonText,
      quoted: isQuoted(element),
    };
  });
  return { kind: "items", items };
}

interface Page {
  readonly byId: ReadonlyMap<string, Element>;
  readonly baseUrl: string | undefined;
}

/** One item with its properties in order. `ancestors` breaks cycles that itemref can make. */
function itemOf(root: Element, page: Page, ancestors: readonly Element[]): Properties {
  const values = new Map<string, (string | Properties)[]>();
  const id = attributeOf(root, "itemid");
  const item: Properties = {
    type: tokensOf(attributeOf(root, "itemtype")),
    id: id === undefined ? undefined : resolve(id, page),
    values,
  };
  const inside = [...ancestors, root];
  for (const element of propertiesOf(root, page)) {
    const nested = attributeOf(element, "itemscope") !== undefined;
    if (nested && (inside.includes(element) || inside.length > MAX_NESTED_ITEMS)) continue;
    const value = nested ? itemOf(element, page, inside) : valueOf(element, page);
    for (const name of new Set(tokensOf(attributeOf(element, "itemprop")))) {
      const list = values.get(name);
      if (list === undefined) values.set(name, [value]);
      else list.push(value);
    }
  }
  return item;
}

/** The property elements of an item: in its subtree and in what itemref names, not inside nested items. */
function propertiesOf(root: Element, page: Page): Element[] {
  const found: Element[] = [];
  const visited = new Set<Element>([root]);
  const pending: Element[] = childrenOf(root).filter(isElement).toReversed();
  for (const id of tokensOf(attributeOf(root, "itemref")).toReversed()) {
    const element = page.byId.get(id);
    if (element !== undefined) pending.unshift(element);
  }
  for (let element = pending.pop(); element !== undefined; element = pending.pop()) {
    if (visited.has(element)) continue;
    visited.add(element);
    if (tokensOf(attributeOf(element, "itemprop")).length > 0) found.push(element);
    if (attributeOf(element, "itemscope") === undefined)
      pending.push(...childrenOf(element).filter(isElement).toReversed());
  }
  return found;
}

function valueOf(element: Element, page: Page): string {
  if (element.tagName === "meta") return attributeOf(element, "content") ?? "";
  const urlAttribute = URL_ATTRIBUTES[element.tagName];
  if (urlAttribute !== undefined) {
    const url = attributeOf(element, urlAttribute);
    return url === undefined ? "" : resolve(url, page);
  }
  if (element.tagName === "data" || element.tagName === "meter") return attributeOf(element, "value") ?? "";
  if (element.tagName === "time") return attributeOf(element, "datetime") ?? textContentOf(element).trim();
  // Mail and page templates indent their text; the blanks around it are never data. `content` on any element is widely written.
  return attributeOf(element, "content") ?? textContentOf(element).trim();
}

function resolve(url: string, { baseUrl }: Page): string {
  return URL.parse(url.trim(), baseUrl)?.href ?? url.trim();
}

function tokensOf(text: string | undefined): string[] {
  return text?.split(/\s+/).filter((token) => token !== "") ?? [];
}

const SCHEMA_ORG = /^https?:\/\/(?:www\.)?schema\.org\//i;

function asJsonLd(item: Properties, isTop: boolean): Record<string, unknown> {
  const types = item.type.map((type) => type.replace(SCHEMA_ORG, ""));
  const json: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (isTop) json["@context"] = "https://schema.org";
  if (types.length > 0) json["@type"] = types.length === 1 ? types[0] : types;
  if (item.id !== undefined) json["@id"] = item.id;
  for (const [name, values] of item.values) {
    const written = values.map((value) => (typeof value === "string" ? value : asJsonLd(value, false)));
    json[name.replace(SCHEMA_ORG, "")] = written.length === 1 ? written[0] : written;
  }
  return json;
}
