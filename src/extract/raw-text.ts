import type { TagNames } from "./html-tokens.ts";
import { scanTags, tagNames } from "./html-tokens.ts";

/** A page whose scripts and style sheets were taken out, and what stood in them. */
export interface SlimPage {
  /** The page with a number in each script and style sheet: the index of its text. */
  readonly html: string;
  readonly texts: readonly string[];
}

const RAW: TagNames = tagNames("script", "style", "svg", "math");

/**
 * A page without the texts of its scripts and style sheets: half of a page, which a parser would walk through letter by
 * letter, and which the scan for tags has stepped over already. In SVG and MathML, where such elements hold markup, they
 * stay. Linear.
 */
export function slimPage(html: string): SlimPage {
  const texts: string[] = [];
  const pieces: string[] = [];
  let kept = 0;
  let foreign = 0;
  scanTags(html, RAW, ({ name, closes, selfClosing, end, textEnd }) => {
    if (name === "svg" || name === "math") {
      if (closes) foreign = Math.max(0, foreign - 1);
      else if (!selfClosing) foreign += 1;
    } else if (foreign === 0 && textEnd > end) {
      pieces.push(html.slice(kept, end), String(texts.length));
      texts.push(html.slice(end, textEnd));
      kept = textEnd;
    }
  });
  pieces.push(html.slice(kept));
  return { html: pieces.join(""), texts };
}
