import { attributesOf } from "./html-attributes.ts";
import type { Tag, TagNames } from "./html-tokens.ts";
import { scanTags, tagNames } from "./html-tokens.ts";
import { isQuoteClass } from "./quote-class.ts";

/** One `<script>` that holds data. */
export interface Script {
  /** The media type without parameters, lower case. */
  readonly type: string;
  readonly id: string | null;
  /** Raw text between the tags: entities are not decoded there. */
  readonly text: string;
  /** `data-kustomer-key`, Kustomer's own way to say whose data it is. */
  readonly key: string | null;
  /** It stands in the quote of a reply. */
  readonly quoted: boolean;
  /** Offset of its tag in the page. */
  readonly start: number;
}

/** `application/json`, `text/json` and every `+json` (WHATWG MIME Sniffing §4.6, "JSON MIME type"). */
const JSON_TYPE = /^(?:application\/json|text\/json|[^\s/]+\/[^\s/]+\+json)$/;
const SCRIPTS = tagNames("script");
const SCRIPTS_AND_QUOTES = tagNames("script", "blockquote", "div");

/**
 * The data scripts of a page in document order, found without building a tree. Linear in the text; never throws.
 *
 * Scripts in `noscript` count (scripting is off), those in comments, raw-text elements and `template` do not: a
 * template's contents are no descendants of the document. Source: JSON-LD 1.1 §7; JSON-LD 1.1 API §5 ("the script
 * elements of the document"); WHATWG HTML §13.2.5, §4.12.3.
 */
export function findScripts(html: string): Script[] {
  const scripts: Script[] = [];
  if (!html.includes("<script") && !/<script/i.test(html)) return scripts;
  const quotes = new QuoteTracker(html);
  scanTags(html, quotes.wanted, (tag) => {
    if (tag.name !== "script") quotes.follow(tag);
    else if (!tag.closes && !tag.inTemplate) {
      const script = scriptOf(html, tag, quotes.inside);
      if (script !== undefined) scripts.push(script);
    }
  });
  return scripts;
}

function scriptOf(html: string, tag: Tag, quoted: boolean): Script | undefined {
  const attributes = attributesOf(html, tag);
  const type = attributes.get("type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!JSON_TYPE.test(type)) return undefined;
  return {
    type,
    id: attributes.get("id") ?? null,
    text: html.slice(tag.end, tag.textEnd),
    key: attributes.get("data-kustomer-key") ?? null,
    quoted,
    start: tag.start,
  };
}

/** Knows whether the scan stands inside the quote of a reply: only the outermost container is followed, so a counter does. */
class QuoteTracker {
  readonly #html: string;
  #container = "";
  #depth = 0;
  readonly wanted: TagNames;

  constructor(html: string) {
    this.#html = html;
    this.wanted = /quote/i.test(html) ? SCRIPTS_AND_QUOTES : SCRIPTS;
  }

  get inside(): boolean {
    return this.#depth > 0;
  }

  follow(tag: Tag): void {
    if (this.#depth > 0) {
      if (tag.name === this.#container) this.#depth += tag.closes ? -1 : 1;
    } else if (!tag.closes && this.#opensQuote(tag)) {
      this.#container = tag.name;
      this.#depth = 1;
    }
  }

  #opensQuote(tag: Tag): boolean {
    return tag.name === "blockquote" || isQuoteClass(attributesOf(this.#html, tag).get("class"));
  }
}
