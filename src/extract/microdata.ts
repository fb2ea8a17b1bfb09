import type { JsonText } from "../model/mail.ts";
import { withAuthorNesting } from "./author-nesting.ts";
import type { Element, HtmlLimitPassed } from "./html-tree.ts";
import { attributeOf, elementsIn, isElement, isQuoted, parseTree, pushReversed } from "./html-tree.ts";
import type { HtmlLimits } from "./limits.ts";
import type { MicrodataNode } from "./microdata-json.ts";
import { writeMicrodata } from "./microdata-json.ts";
import { microdataValueOf, resolveUrl } from "./microdata-value.ts";
import { wantedAttributes } from "./slim-page.ts";
import { absoluteType } from "./types.ts";

const ATTRIBUTES = wantedAttributes(
  ["id", "itemid", "itemprop", "itemref", "itemscope", "itemtype", "class"],
  ["content", "href", "src", "data", "value", "datetime"],
);

/** One top-level microdata item, as JSON-LD. */
interface MicrodataItem {
  readonly types: readonly string[];
  readonly value: JsonText;
  readonly quoted: boolean;
  /** How many elements with `itemscope` stand before it in the page. */
  readonly itemsBefore: number;
}

export type MicrodataReading = { readonly kind: "items"; readonly items: readonly MicrodataItem[] } | HtmlLimitPassed;

/**
 * The microdata of a page by the WHATWG algorithm, mapped to JSON-LD by `microdata-json.ts`. RDFa is another language
 * and gives nothing. `baseUrl` is the page's, with its base element.
 *
 * Where properties fall out of their items because the page is nested in a way that the parser undoes, the nesting that
 * the author wrote is read instead. Source: WHATWG HTML §5.2 to §5.5 ("Microdata").
 */
export function findMicrodata(html: string, baseUrl: string | undefined, limits: HtmlLimits): MicrodataReading {
  // Most mails have none, and a tree is what costs.
  if (!/itemscope/i.test(html)) return { kind: "items", items: [] };
  const standard = readMicrodata(html, baseUrl, limits);
  if (standard.kind === "limit" || standard.lost === 0) return standard;
  const authored = readMicrodata(withAuthorNesting(html), baseUrl, limits);
  const isBetter = authored.kind === "items" && authored.lost < standard.lost && authored.kept > standard.kept;
  return isBetter ? authored : standard;
}

/** The items, how many properties stand in them, and how many in none. */
type Counted = (MicrodataReading & { kind: "items" }) & { readonly kept: number; readonly lost: number };

function readMicrodata(html: string, baseUrl: string | undefined, limits: HtmlLimits): Counted | HtmlLimitPassed {
  const tree = parseTree(html, limits, ATTRIBUTES);
  if (tree.kind === "limit") return tree;
  const page = new Page(html, baseUrl, limits);
  const tops: { readonly element: Element; readonly itemsBefore: number }[] = [];
  let scopes = 0;
  let properties = 0;
  for (const element of elementsIn(tree.document)) {
    page.enter(element);
    const isProperty = attributeOf(element, "itemprop") !== undefined;
    const scoped = isItem(element);
    if (isProperty) properties += 1;
    else if (scoped) tops.push({ element, itemsBefore: scopes });
    if (scoped) scopes += 1;
  }
  const items: MicrodataItem[] = [];
  for (const { element, itemsBefore } of tops) {
    const item = itemOf(element, page, new Set());
    if (page.passed !== undefined) return page.passed;
    items.push({
      types: item.types.map(absoluteType),
      value: writeMicrodata(item),
      quoted: isQuoted(element),
      itemsBefore,
    });
  }
  return { kind: "items", items, kept: page.kept.size, lost: properties - page.kept.size };
}

/** What the algorithm asks of a page: its order, its ids, and how much work it has been. */
class Page {
  readonly baseUrl: string | undefined;
  readonly #limits: HtmlLimits;
  readonly #places = new Map<Element, number>();
  readonly #byId = new Map<string, Element>();
  /** Property elements that stand in an item. */
  readonly kept = new Set<Element>();
  #budget: number;
  passed: HtmlLimitPassed | undefined;

  constructor(html: string, baseUrl: string | undefined, limits: HtmlLimits) {
    this.#budget = MIN_WORK + (html.length / CHARACTERS_PER_STEP) * WORK_PER_STEP;
    this.baseUrl = baseUrl;
    this.#limits = limits;
  }

  enter(element: Element): void {
    this.#places.set(element, this.#places.size);
    this.#budget += WORK_PER_STEP;
    const id = attributeOf(element, "id");
    if (id !== undefined && id !== "" && !this.#byId.has(id)) this.#byId.set(id, element);
  }

  byId(id: string): Element | undefined {
    return this.#byId.get(id);
  }

  inTreeOrder(a: Element, b: Element): number {
    return (this.#places.get(a) ?? 0) - (this.#places.get(b) ?? 0);
  }

  /**
   * Counts work and says whether to go on. Items that share parts by itemref repeat them in the result, level by level
   * twice as often; and each of many nested properties repeats the text below it.
   */
  allows(steps: number, depth: number): boolean {
    this.#budget -= steps;
    if (depth > this.#limits.htmlDepth)
      this.passed ??= { kind: "limit", limit: "html-depth", detail: `microdata nested deeper than ${depth - 1}` };
    if (this.#budget < 0)
      this.passed ??= { kind: "limit", limit: "html-nodes", detail: "microdata that repeats its parts without end" };
    return this.passed === undefined;
  }
}

// A page without itemref takes two steps per element and reads its text as often as its properties are nested.
const MIN_WORK = 50_000;
const WORK_PER_STEP = 8;
const CHARACTERS_PER_STEP = 64;

/** One item with its properties in tree order. `inside` are the items around it: itemref can make cycles. */
function itemOf(root: Element, page: Page, inside: Set<Element>): MicrodataNode {
  const itemId = attributeOf(root, "itemid");
  const item: MicrodataNode = {
    types: tokensOf(attributeOf(root, "itemtype")),
    itemId: itemId === undefined ? undefined : resolveUrl(itemId, page.baseUrl),
    properties: new Map(),
  };
  inside.add(root);
  for (const element of propertiesOf(root, page)) {
    if (!page.allows(1, inside.size)) break;
    page.kept.add(element);
    const value = isItem(element) ? nestedItem(element, page, inside) : microdataValueOf(element, page.baseUrl);
    if (typeof value === "string") page.allows(value.length / CHARACTERS_PER_STEP, inside.size);
    for (const name of new Set(tokensOf(attributeOf(element, "itemprop")))) {
      const values = item.properties.get(name);
      if (values === undefined) item.properties.set(name, [value]);
      else values.push(value);
    }
  }
  inside.delete(root);
  return item;
}

/** The item of a property; of a cycle its id, or the standard's word for it (§5.5, "get the object"). */
function nestedItem(element: Element, page: Page, inside: Set<Element>): MicrodataNode | string {
  if (!inside.has(element)) return itemOf(element, page, inside);
  const itemId = attributeOf(element, "itemid");
  if (itemId === undefined) return "ERROR";
  return { types: [], itemId: resolveUrl(itemId, page.baseUrl), properties: new Map() };
}

/** The elements that are properties of an item: below it and in what itemref names, not inside nested items (§5.2.5). */
function propertiesOf(root: Element, page: Page): Element[] {
  const found: Element[] = [];
  const visited = new Set<Element>([root]);
  const pending: Element[] = [];
  for (const id of tokensOf(attributeOf(root, "itemref")).toReversed()) {
    const element = page.byId(id);
    if (element !== undefined) pending.push(element);
  }
  pushElements(pending, root);
  for (let element = pending.pop(); element !== undefined; element = pending.pop()) {
    if (visited.has(element)) continue;
    visited.add(element);
    if (!page.allows(1, 0)) break;
    if (tokensOf(attributeOf(element, "itemprop")).length > 0) found.push(element);
    if (!isItem(element)) pushElements(pending, element);
  }
  return found.sort((a, b) => page.inTreeOrder(a, b));
}

function pushElements(pending: Element[], parent: Element): void {
  pushReversed(pending, parent.childNodes.filter(isElement));
}

function isItem(element: Element): boolean {
  return attributeOf(element, "itemscope") !== undefined;
}

function tokensOf(text: string | undefined): string[] {
  return text?.split(/[ \t\n\f\r]+/).filter((token) => token !== "") ?? [];
}
