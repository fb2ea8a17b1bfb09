/** A bracket, or a character reference to one. */
const BRACKET = /[{[]|&#(?:123|91|x0*7b|x0*5b)\b|&l(?:brace|cub|brack|sqb);/gi;
/** What may follow in JSON, or stand for it in HTML: a tag, a reference. */
const FOLLOWS_BRACE = /^[\s\u200b]*(?:["}&<]|$)/;
const FOLLOWS_BRACKET = /^[\s\u200b]*(?:["{}[\]&<\d-]|true|false|null|$)/;
const LOOK_AHEAD = 64;
const LOOK_BEHIND = 256;

/**
 * Whether JSON may stand for itself in the text of a page: a bracket begins a line there, with what JSON goes on with.
 *
 * Says no for the braces of style sheets, scripts and prose, which most pages have, and so spares them the tree that their
 * visible text would need. A yes may be wrong. Linear.
 */
export function mayShowJson(html: string): boolean {
  BRACKET.lastIndex = 0;
  for (let found = BRACKET.exec(html); found !== null; found = BRACKET.exec(html)) {
    const [bracket] = found;
    if (bracket.length > 1) return true;
    const follows = bracket === "{" ? FOLLOWS_BRACE : FOLLOWS_BRACKET;
    if (beginsLine(html, found.index) && follows.test(html.slice(found.index + 1, found.index + 1 + LOOK_AHEAD)))
      return true;
  }
  return false;
}

/** Behind a tag, a reference or a quote mark, or first in its line of the source. */
function beginsLine(html: string, at: number): boolean {
  const least = Math.max(0, at - LOOK_BEHIND);
  for (let before = at - 1; before >= least; before -= 1) {
    const character = html[before] ?? "";
    if (character === "\n" || character === "\r" || character === ">" || character === ";") return true;
    if (!/[\s\u200b]/.test(character)) return false;
  }
  return true;
}
