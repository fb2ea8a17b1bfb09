/** What mail programs write above a mail that is forwarded inline: Gmail, Thunderbird, Yahoo and Outlook between dashes, in any language. */
const DASHES = /(?:^|[\n>])[ \t>]{0,40}-{5,80} ?[^\s<>-][^<>\n-]{2,60} ?-{5,80}[ \t]{0,40}(?=\r?\n|<)/g;
const APPLE = /(?:^|[\n>])[ \t>]{0,40}Begin forwarded message:/;
/** A header field follows within two lines: `From: …`, `Von: …`; in HTML behind tags. */
const FIELD_FOLLOWS = /^(?:[\s>]|<[^<>]{0,300}>){1,40}\*{0,2}[\p{L}-]{2,20}\*{0,2} ?:/u;
const ARMOUR = /-{5}(?:BEGIN|END) /;
const LOOK_AHEAD = 1_000;

/**
 * Where an inline forward begins in a text or in HTML, `undefined` when there is none: what stands behind it was written
 * by somebody else, earlier.
 */
export function forwardMarkIn(text: string): number | undefined {
  const apple = APPLE.exec(text)?.index;
  DASHES.lastIndex = 0;
  for (let found = DASHES.exec(text); found !== null; found = DASHES.exec(text)) {
    if (apple !== undefined && found.index > apple) break;
    const end = found.index + found[0].length;
    if (!ARMOUR.test(found[0]) && FIELD_FOLLOWS.test(text.slice(end, end + LOOK_AHEAD))) return found.index;
  }
  return apple;
}
