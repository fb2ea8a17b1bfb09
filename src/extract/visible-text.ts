import type { Element, Node } from "./html-tree.ts";
import { attributeOf, childrenOf, elementsIn, isElement, isQuoted, parseTree } from "./html-tree.ts";

/** A block of text as a person sees it. */
export interface VisibleBlock {
  readonly element: "pre" | "code" | "text";
  readonly text: string;
  readonly quoted: boolean;
}

export type VisibleReading =
  | { readonly kind: "blocks"; readonly blocks: readonly VisibleBlock[] }
  | { readonly kind: "too-deep" };

const HIDDEN: ReadonlySet<string> = new Set([
  "script",
  "style",
  "head",
  "template",
  "title",
  "noscript",
  "textarea",
  "select",
  "iframe",
  "object",
  "svg",
]);
const BLOCKS: ReadonlySet<string> = new Set([
  "address",
  "article",
  "blockquote",
  "body",
  "br",
  "center",
  "dd",
  "div",
  "dl",
  "dt",
  "footer",
  "form",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "header",
  "hr",
  "li",
  "main",
  "ol",
  "p",
  "pre",
  "section",
  "table",
  "td",
  "th",
  "tr",
  "ul",
]);
const HIDING_STYLE = /display\s*:\s*none|visibility\s*:\s*hidden/i;

/** The `pre` and `code` blocks of a page, then its whole visible text with a line break where a block begins or ends. */
export function visibleText(html: string, maxDepth: number): VisibleReading {
  const document = parseTree(html);
  const blocks: VisibleBlock[] = [];
  for (const { element, depth } of elementsIn(document, (candidate) => !isHidden(candidate))) {
    if (depth > maxDepth) return { kind: "too-deep" };
    const { tagName } = element;
    if (tagName === "pre" || tagName === "code")
      blocks.push({ element: tagName, text: textBelow(element), quoted: isQuoted(element) });
  }
  const root = document.childNodes.find(isElement);
  if (root !== undefined) blocks.push({ element: "text", text: textBelow(root), quoted: false });
  return { kind: "blocks", blocks };
}

function textBelow(root: Element): string {
  const pieces: string[] = [];
  const stack: (Node | "\n")[] = childrenOf(root).toReversed();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next === "\n") pieces.push(next);
    else if (next.nodeName === "#text" && "value" in next) pieces.push(next.value);
    else if (isElement(next) && !isHidden(next)) {
      const isBlock = BLOCKS.has(next.tagName);
      if (isBlock) stack.push("\n");
      stack.push(...childrenOf(next).toReversed());
      if (isBlock) stack.push("\n");
    }
  }
  return pieces.join("");
}

function isHidden(element: Element): boolean {
  return (
    HIDDEN.has(element.tagName) ||
    attributeOf(element, "hidden") !== undefined ||
    HIDING_STYLE.test(attributeOf(element, "style") ?? "")
  );
}
