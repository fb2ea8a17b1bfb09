import { attributesOf, tagEnd } from "./html-attributes.ts";

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
}

const JSON_TYPE = /^(?:application\/(?:[a-z0-9.+-]+\+)?json|text\/json|application\/[a-z0-9.-]+\+json)$/;
/** Elements whose content is no markup (WHATWG HTML §13.2.5.1 to §13.2.5.5), with scripting off. */
const RAW_TEXT: ReadonlySet<string> = new Set(["style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"]);
const QUOTE_CLASS =
  /(?:^|\s)(?:gmail_quote|gmail_quote_container|yahoo_quoted|moz-cite-prefix|protonmail_quote)(?:\s|$)/i;
const TAG_NAME = /[a-z][^\s/>]*/iy;

/**
 * The data scripts of a page, found by going from `<` to `<` without building a tree. Linear in the text.
 *
 * Comments, raw-text elements and attribute quotes are passed over as a browser would; scripts in `template` and
 * `noscript` count, as the tests of JSON-LD 1.1 have it. Source: WHATWG HTML §13.2.5; JSON-LD 1.1 §7.
 */
export function findScripts(html: string): Script[] {
  const scripts: Script[] = [];
  if (!/<script/i.test(html)) return scripts;
  let quoteDepth = 0;
  const openQuotes: string[] = [];
  for (let at = html.indexOf("<"); at >= 0;) {
    if (html.startsWith("<!--", at)) {
      at = next(html, commentEnd(html, at));
      continue;
    }
    const closes = html[at + 1] === "/";
    TAG_NAME.lastIndex = closes ? at + 2 : at + 1;
    const name = TAG_NAME.exec(html)?.[0].toLowerCase();
    if (name === undefined) {
      at = next(html, at + 1);
      continue;
    }
    const bodyStart = TAG_NAME.lastIndex;
    const end = tagEnd(html, bodyStart);
    if (closes) {
      if (openQuotes.at(-1) === name && --quoteDepth === 0) openQuotes.pop();
      at = next(html, end);
      continue;
    }
    if (openQuotes.length > 0 && openQuotes.at(-1) === name) quoteDepth += 1;
    else if (openQuotes.length === 0 && opensQuote(name, html, bodyStart, end)) {
      openQuotes.push(name);
      quoteDepth = 1;
    }
    if (name === "script") {
      const textEnd = scriptEnd(html, end);
      const script = scriptOf(
        attributesOf(html.slice(bodyStart, end - 1)),
        html.slice(end, textEnd),
        openQuotes.length > 0,
      );
      if (script !== undefined) scripts.push(script);
      at = next(html, textEnd);
    } else at = next(html, RAW_TEXT.has(name) ? rawEnd(html, end, name) : end);
  }
  return scripts;
}

function next(html: string, from: number): number {
  return from >= html.length ? -1 : html.indexOf("<", from);
}

function scriptOf(attributes: ReadonlyMap<string, string>, text: string, quoted: boolean): Script | undefined {
  const type = (attributes.get("type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!JSON_TYPE.test(type)) return undefined;
  return { type, id: attributes.get("id") ?? null, text, key: attributes.get("data-kustomer-key") ?? null, quoted };
}

function opensQuote(name: string, html: string, bodyStart: number, end: number): boolean {
  if (name === "blockquote") return true;
  return name === "div" && QUOTE_CLASS.test(attributesOf(html.slice(bodyStart, end - 1)).get("class") ?? "");
}

/** A comment ends at `-->` or `--!>`; `<!-->` and `<!--->` are empty ones. Without an end it takes the rest. */
function commentEnd(html: string, at: number): number {
  if (html.startsWith(">", at + 4)) return at + 5;
  if (html.startsWith("->", at + 4)) return at + 6;
  const match = /--!?>/g;
  match.lastIndex = at + 4;
  const found = match.exec(html);
  return found === null ? html.length : found.index + found[0].length;
}

function rawEnd(html: string, from: number, name: string): number {
  const close = new RegExp(`</${name}(?=[\\s/>])`, "gi");
  close.lastIndex = from;
  const found = close.exec(html);
  return found === null ? html.length : found.index;
}

/**
 * Where a script's text ends: the first `</script`, but inside `<!-- … <script` only after its own `</script` (script
 * data double escaped state, WHATWG HTML §13.2.5.20 to §13.2.5.31).
 */
function scriptEnd(html: string, from: number): number {
  const token = /<!--|-->|<script(?=[\s/>])|<\/script(?=[\s/>])/gi;
  token.lastIndex = from;
  let escaped = false;
  let doubleEscaped = false;
  for (let found = token.exec(html); found !== null; found = token.exec(html)) {
    const text = found[0].toLowerCase();
    if (text === "<!--") {
      escaped = true;
      // The dashes of "<!--" may be those of "-->" as well.
      token.lastIndex = found.index + 2;
    } else if (text === "-->") {
      escaped = false;
      doubleEscaped = false;
    } else if (text === "<script") doubleEscaped ||= escaped;
    else if (doubleEscaped) doubleEscaped = false;
    else return found.index;
  }
  // A double escape that never ends would swallow the page: the first end tag counts then, as people meant it.
  const first = /<\/script(?=[\s/>])/gi;
  first.lastIndex = from;
  return first.exec(html)?.index ?? html.length;
}
