import { createRequire } from "node:module";

import type * as Parse5 from "parse5";
import type { DefaultTreeAdapterMap, TreeAdapter } from "parse5";

import { loadLateNow } from "../lib/load-late.ts";
import type { HtmlLimits } from "./limits.ts";
import { isQuoteClass } from "./quote-class.ts";
import type { WantedAttributes } from "./slim-page.ts";
import { slimPage, textOfSlim } from "./slim-page.ts";

export type Element = DefaultTreeAdapterMap["element"];
export type Node = DefaultTreeAdapterMap["childNode"];
type Parent = DefaultTreeAdapterMap["parentNode"];

/** A limit of the tree, and what passed it, for people. */
export interface HtmlLimitPassed {
  readonly kind: "limit";
  readonly limit: "html-depth" | "html-nodes";
  readonly detail: string;
}

export type TreeReading =
  | { readonly kind: "tree"; readonly document: DefaultTreeAdapterMap["document"] }
  | HtmlLimitPassed;

/** Ends a parse from inside the parser, which knows no other way out. */
class LimitSignal extends Error {
  readonly passed: HtmlLimitPassed;

  constructor(passed: HtmlLimitPassed) {
    super(passed.detail);
    this.passed = passed;
  }
}

/**
 * A page as a tree by the HTML standard, with scripting off. Depth and nodes are counted while it grows, so that
 * neither 100,000 nested elements nor formatting elements that every paragraph repeats cost more than the limits allow. Only
 * the wanted attributes are in it.
 */
export function parseTree(page: string, limits: HtmlLimits, wanted: WantedAttributes): TreeReading {
  const parse5 = parser();
  try {
    const slim = slimPage(page, wanted);
    const most = Math.min(limits.htmlNodes, mostElementsOf(slim.html));
    const raw: Element[] = [];
    const treeAdapter = countingAdapter(parse5, { htmlDepth: limits.htmlDepth, htmlNodes: most }, raw);
    const document = parse5.parse(slim.html, { scriptingEnabled: false, treeAdapter });
    for (const element of raw) putTextBack(element, slim.texts, element.namespaceURI === parse5.html.NS.HTML);
    return { kind: "tree", document };
  } catch (error) {
    if (error instanceof LimitSignal) return error.passed;
    throw error;
  }
}

let loaded: typeof Parse5 | undefined;

/** Loaded with the first page that needs a tree: few do, and it is 5 MB in every thread. */
function parser(): typeof Parse5 {
  return (loaded ??= loadLateNow(() => createRequire(import.meta.url)("parse5") as typeof Parse5));
}

const RAW_ELEMENTS: ReadonlySet<string> = new Set(["script", "style"]);
const REPEATS = 32;
const MIN_ELEMENTS = 10_000;

/**
 * How many elements the tags of a page may become. The parser opens every unclosed `<b>` or `<font>` again in each
 * paragraph: 500 of them in 500 paragraphs are 6 KB and 125,000 elements. Careless mails stay far below.
 */
function mostElementsOf(html: string): number {
  let tags = 0;
  for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at + 1)) tags += 1;
  return MIN_ELEMENTS + REPEATS * tags;
}

/** Puts the text of a script or style sheet back where its number stands, when the parser has all of it. */
function putTextBack({ childNodes: [only, ...others] }: Element, texts: readonly string[], isHtml: boolean): void {
  if (only?.nodeName === "#text" && "value" in only && others.length === 0)
    only.value = textOfSlim(only.value, texts, isHtml);
}

/** Counts what grows, and gathers scripts and style sheets. */
function countingAdapter(
  { defaultTreeAdapter }: typeof Parse5,
  { htmlDepth, htmlNodes }: Pick<HtmlLimits, "htmlDepth" | "htmlNodes">,
  raw: Element[],
): TreeAdapter<DefaultTreeAdapterMap> {
  let depth = 0;
  let nodes = 0;
  const pass = (limit: HtmlLimitPassed["limit"], detail: string): never => {
    throw new LimitSignal({ kind: "limit", limit, detail });
  };
  return {
    ...defaultTreeAdapter,
    createElement(name, namespace, attributes) {
      if ((nodes += 1) > htmlNodes) pass("html-nodes", `more than ${htmlNodes} elements`);
      const element = defaultTreeAdapter.createElement(name, namespace, attributes);
      if (RAW_ELEMENTS.has(name)) raw.push(element);
      return element;
    },
    onItemPush() {
      if ((depth += 1) > htmlDepth) pass("html-depth", `elements nested deeper than ${htmlDepth}`);
    },
    onItemPop() {
      depth -= 1;
    },
  };
}

/** Every element below `root` in document order, iterative. `enter` says whether to go inside; templates stay shut. */
export function* elementsIn(root: Parent, enter: (element: Element) => boolean = () => true): Generator<Element> {
  const stack: Node[] = root.childNodes.toReversed();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (!isElement(node)) continue;
    yield node;
    if (enter(node)) pushReversed(stack, node.childNodes);
  }
}

/** Spreading into `push` would pass each child as an argument, and the engine allows some 100,000 of those. */
export function pushReversed<T>(stack: (T | Node)[], nodes: readonly Node[]): void {
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    const node = nodes[i];
    if (node !== undefined) stack.push(node);
  }
}

export function isElement(node: Node): node is Element {
  return "tagName" in node;
}

export function attributeOf(element: Element, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name)?.value;
}

/** The text of everything below an element (DOM textContent); iterative. */
export function textContentOf(element: Element): string {
  const pieces: string[] = [];
  const stack: Node[] = element.childNodes.toReversed();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.nodeName === "#text" && "value" in node) pieces.push(node.value);
    else if (isElement(node)) pushReversed(stack, node.childNodes);
  }
  return pieces.join("");
}

/** Whether an element stands in the quote of a reply. */
export function isQuoted(element: Element): boolean {
  for (let node: Parent | null = element; node !== null && "tagName" in node; node = node.parentNode) {
    if (node.tagName === "blockquote" || isQuoteClass(attributeOf(node, "class"))) return true;
  }
  return false;
}
