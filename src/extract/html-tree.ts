import type { DefaultTreeAdapterMap } from "parse5";
import { parse } from "parse5";

export type Element = DefaultTreeAdapterMap["element"];
export type Node = DefaultTreeAdapterMap["childNode"];
type Parent = DefaultTreeAdapterMap["parentNode"];

/** A page as a tree by the HTML standard. parse5's own tree stays linear under nesting that makes others quadratic. */
export function parseTree(html: string): DefaultTreeAdapterMap["document"] {
  return parse(html);
}

/** Every element below `root` in document order, with its depth; iterative. `enter` says whether to go inside. */
export function* elementsIn(
  root: Parent,
  enter: (element: Element) => boolean = () => true,
): Generator<{ element: Element; depth: number }> {
  const stack: { node: Node; depth: number }[] = root.childNodes.toReversed().map((node) => ({ node, depth: 1 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, depth } = next;
    if (!isElement(node)) continue;
    yield { element: node, depth };
    if (!enter(node)) continue;
    for (const child of childrenOf(node).toReversed()) stack.push({ node: child, depth: depth + 1 });
  }
}

export function isElement(node: Node): node is Element {
  return "tagName" in node;
}

/** The children of an element; of a template, its content's. */
export function childrenOf(element: Element): readonly Node[] {
  return element.tagName === "template" && "content" in element
    ? (element as DefaultTreeAdapterMap["template"]).content.childNodes
    : element.childNodes;
}

export function attributeOf(element: Element, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name)?.value;
}

/** The text of everything below an element (DOM textContent); iterative. */
export function textContentOf(element: Element): string {
  const pieces: string[] = [];
  const stack: Node[] = element.childNodes.toReversed();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if ("value" in node && node.nodeName === "#text") pieces.push(node.value);
    else if (isElement(node)) stack.push(...node.childNodes.toReversed());
  }
  return pieces.join("");
}

/** Whether an element stands in the quote of a reply. */
export function isQuoted(element: Element): boolean {
  for (let node: Parent | null = element; node !== null && "tagName" in node; node = node.parentNode) {
    if (node.tagName === "blockquote" || /(?:^|\s)(?:gmail_quote|yahoo_quoted)/.test(attributeOf(node, "class") ?? ""))
      return true;
  }
  return false;
}
