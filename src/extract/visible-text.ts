import type { Element, HtmlLimitPassed, Node } from "./html-tree.ts";
import { attributeOf, elementsIn, isElement, isQuoted, parseTree } from "./html-tree.ts";
import type { HtmlLimits } from "./limits.ts";
import { isQuoteClass } from "./quote-class.ts";
import { wantedAttributes } from "./slim-page.ts";

/** A block of text as a person sees it. */
interface VisibleBlock {
  readonly element: "pre" | "code" | "text";
  readonly text: string;
  readonly quoted: boolean;
}

export type VisibleReading = { readonly kind: "blocks"; readonly blocks: readonly VisibleBlock[] } | HtmlLimitPassed;

const ATTRIBUTES = wantedAttributes(["class", "style", "hidden"], []);
const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));
/** Elements that show nothing, or show something else than their text. */
const HIDDEN = words(
  "head title script style template textarea select datalist iframe object audio video canvas svg math",
);
/** Elements that begin and end a line. */
const BLOCKS = words(`
  address article aside blockquote body br center dd details dialog dir div dl dt fieldset figcaption figure footer form
  h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol p plaintext pre section summary table tbody
  td tfoot th thead tr ul xmp`);
const PREFORMATTED = words("pre listing plaintext xmp");
const HIDING_STYLE = /display\s*:\s*none|visibility\s*:\s*hidden/i;
const KEEPING_STYLE = /white-space\s*:\s*(?:pre|break-spaces)/i;
/** Blanks that HTML runs together; a no-break space is none of them. */
const BLANKS = /[ \t\n\f\r]+/g;

/**
 * The `pre` and `code` blocks of a page, each once, then its whole visible text: what stands outside the quotes of
 * replies, and what stands inside them. A block begins and ends a line, `<br>` breaks one; line breaks of the source are
 * blanks outside of preformatted text, as a browser shows them (a mail program may break a long string there).
 */
export function visibleText(html: string, limits: HtmlLimits): VisibleReading {
  const tree = parseTree(html, limits, ATTRIBUTES);
  if (tree.kind === "limit") return tree;
  const blocks: VisibleBlock[] = [];
  // What stands in a block is not visited again: `<pre><code>` is one place.
  for (const element of elementsIn(tree.document, (candidate) => !isHidden(candidate) && !isCode(candidate))) {
    if (!isHidden(element) && isCode(element)) {
      const text = textsBelow(element).all;
      blocks.push({ element: element.tagName === "code" ? "code" : "pre", text, quoted: isQuoted(element) });
    }
  }
  const root = tree.document.childNodes.find(isElement);
  if (root === undefined) return { kind: "blocks", blocks };
  const { outside, quoted } = textsBelow(root);
  blocks.push({ element: "text", text: outside, quoted: false });
  if (quoted !== "") blocks.push({ element: "text", text: quoted, quoted: true });
  return { kind: "blocks", blocks };
}

function isCode({ tagName }: Element): boolean {
  return tagName === "code" || PREFORMATTED.has(tagName);
}

interface Style {
  readonly keepsBlanks: boolean;
  readonly quoted: boolean;
}

type Step = { readonly node: Node; readonly style: Style } | { readonly lineBreak: Style };

/** The text below an element: all of it, and apart what is and is not quoted. */
function textsBelow(root: Element): { readonly all: string; readonly outside: string; readonly quoted: string } {
  const all: string[] = [];
  const outside: string[] = [];
  const quoted: string[] = [];
  const add = (text: string, style: Style) => {
    all.push(text);
    (style.quoted ? quoted : outside).push(text);
  };
  const stack: Step[] = [];
  const open = (element: Element, style: Style) => {
    for (const node of element.childNodes.toReversed()) stack.push({ node, style });
  };
  open(root, styleOf(root, { keepsBlanks: false, quoted: false }));
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    if ("lineBreak" in step) {
      add("\n", step.lineBreak);
      continue;
    }
    const { node, style } = step;
    if (node.nodeName === "#text" && "value" in node)
      add(style.keepsBlanks ? node.value : node.value.replace(BLANKS, " "), style);
    else if (isElement(node) && !isHidden(node)) {
      const inner = styleOf(node, style);
      const isBlock = BLOCKS.has(node.tagName);
      if (isBlock) {
        add("\n", inner);
        if (node.tagName !== "br") stack.push({ lineBreak: inner });
      }
      open(node, inner);
    }
  }
  return { all: all.join(""), outside: outside.join(""), quoted: quoted.join("") };
}

function styleOf(element: Element, around: Style): Style {
  const keepsBlanks =
    around.keepsBlanks || PREFORMATTED.has(element.tagName) || KEEPING_STYLE.test(attributeOf(element, "style") ?? "");
  const quoted = around.quoted || element.tagName === "blockquote" || isQuoteClass(attributeOf(element, "class"));
  return keepsBlanks === around.keepsBlanks && quoted === around.quoted ? around : { keepsBlanks, quoted };
}

function isHidden(element: Element): boolean {
  return (
    HIDDEN.has(element.tagName) ||
    attributeOf(element, "hidden") !== undefined ||
    HIDING_STYLE.test(attributeOf(element, "style") ?? "")
  );
}
