import type { TagNames } from "./html-tokens.ts";
import { scanTags } from "./html-tokens.ts";

/** A page without what nobody asks its tree for. */
export interface SlimPage {
  /** The page with a number in each script and style sheet: the index of its text, which `textOfSlim` gives back. */
  readonly html: string;
  readonly texts: readonly string[];
}

const EVERY_TAG: TagNames = { names: { has: () => true }, lengths: new Uint32Array(32).fill(0xffff_ffff) };
const ATTRIBUTE = /[\s/]*([^\s=>/][^\s=>/]*)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]*))?/y;
/** What steers the parser itself: `<input type=hidden>` in tables, `font` and `annotation-xml` in SVG and MathML. */
const STEERING = ["type", "color", "face", "size", "encoding"] as const;

/** Attributes by their names in lower case; those that hold values count where `itemprop` stands beside them. */
export interface WantedAttributes {
  readonly always: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
}

export function wantedAttributes(always: readonly string[], values: readonly string[]): WantedAttributes {
  return { always: new Set([...STEERING, ...always]), values: new Set(values) };
}

/**
 * A page without the texts of its scripts and style sheets and without attributes that nobody asks for: two thirds of most
 * pages, which a parser would walk through letter by letter, and which the scan for tags has stepped over already. In SVG
 * and MathML, where such elements hold markup, their texts stay. Linear.
 */
export function slimPage(html: string, wanted: WantedAttributes): SlimPage {
  const texts: string[] = [];
  const pieces: string[] = [];
  let kept = 0;
  let foreign = 0;
  scanTags(html, EVERY_TAG, ({ name, closes, selfClosing, attributes, end, textEnd }) => {
    if (!closes && end - attributes > 2) {
      pieces.push(
        html.slice(kept, attributes),
        attributesKept(html, attributes, end - 1, wanted),
        selfClosing ? "/" : "",
      );
      kept = end - 1;
    }
    if (name === "svg" || name === "math") {
      if (closes) foreign = Math.max(0, foreign - 1);
      else if (!selfClosing) foreign += 1;
    } else if (textEnd > end && (name === "script" || name === "style")) {
      if (foreign === 0) {
        pieces.push(html.slice(kept, end), String(texts.length));
        texts.push(html.slice(end, textEnd));
        kept = textEnd;
      } else if (!selfClosing && LIKE_NUMBER.test(html.slice(end, textEnd))) {
        pieces.push(html.slice(kept, end), ESCAPE);
        kept = end;
      }
    }
  });
  pieces.push(html.slice(kept));
  return { html: pieces.join(""), texts };
}

/** What stands in front of a text that looks like a number of ours and is the page's own. */
const ESCAPE = "=";
const LIKE_NUMBER = /^=*\d+$/;

/**
 * The text that belongs where the tree has `text` as all there is in a script or style sheet. `isHtml` is false for those of
 * SVG and MathML, which never have a number of ours. The tree knows better than the scan where those end (a `<p>` breaks
 * out of them), so a text that looks like a number and stayed is escaped, whatever the tree makes of its element.
 */
export function textOfSlim(text: string, texts: readonly string[], isHtml: boolean): string {
  if (isHtml && /^\d+$/.test(text)) return texts[Number(text)] ?? text;
  return text.startsWith(ESCAPE) && LIKE_NUMBER.test(text) ? text.slice(ESCAPE.length) : text;
}

function attributesKept(html: string, from: number, end: number, { always, values }: WantedAttributes): string {
  let kept = "";
  let isProperty: boolean | undefined;
  for (let at = from; at < end;) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(html);
    const next = Math.min(ATTRIBUTE.lastIndex, end);
    // What no attribute begins with stays as it stands, for the parser to judge.
    if (found === null || next === at) return `${kept} ${html.slice(at, end)}`;
    const name = (found[1] ?? "").toLowerCase();
    const isWanted =
      always.has(name) || (values.has(name) && (isProperty ??= /\sitemprop/i.test(html.slice(from, end))));
    if (isWanted) kept += ` ${html.slice(at, next).trim()}`;
    at = next;
  }
  return kept === "" ? "" : `${kept} `;
}
