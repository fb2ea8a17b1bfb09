/** The tags of a DKIM-Signature, an ARC-Seal or an ARC-Message-Signature. */
export interface TagList {
  /** A latin1 character for each byte. */
  readonly text: string;
  /** By name in lower case; of a name that stands twice the last one. */
  readonly places: ReadonlyMap<string, TagPlace>;
}

/** Where the value of a tag stands in the text: from behind the `=` to the `;` or the end. */
interface TagPlace {
  readonly start: number;
  readonly end: number;
}

const NAME = /^[ \t\r\n]*([a-z][a-z0-9_]*)[ \t\r\n]*$/i;
/** Longer than any name that means something, blanks around it included. */
const MAX_NAME_LENGTH = 256;

/**
 * Reads a tag-list: `name=value` between semicolons, which no value can hold. What is no tag is left out. Never throws; linear.
 *
 * More is let through than RFC 6376 §3.2 allows, for what a signature says counts for nothing until it holds.
 */
export function parseTagList(text: string): TagList {
  const places = new Map<string, TagPlace>();
  let equals = -1;
  for (let start = 0; start < text.length;) {
    if (equals < start) equals = text.indexOf("=", start);
    if (equals < 0) break;
    // The tag ends at the first semicolon behind its "="; what stood before the one in front of it was no tag.
    const semicolon = text.indexOf(";", equals);
    const end = semicolon < 0 ? text.length : semicolon;
    const nameStart = text.lastIndexOf(";", equals) + 1;
    const name = equals - nameStart > MAX_NAME_LENGTH ? undefined : NAME.exec(text.slice(nameStart, equals))?.[1];
    if (name !== undefined) places.set(name.toLowerCase(), { start: equals + 1, end });
    start = end + 1;
  }
  return { text, places };
}

/** The value of a tag as UTF-8 without blanks at its ends; `undefined` when there is none. */
export function tagOf(list: TagList, name: string): string | undefined {
  const place = list.places.get(name);
  if (place === undefined) return undefined;
  return Buffer.from(list.text.slice(place.start, place.end), "latin1").toString("utf8").trim();
}

/** The same without any blanks, for tags in whose values they mean nothing (RFC 6376 §3.5: `b`, `bh`, `h`). */
export function solidTagOf(list: TagList, name: string): string | undefined {
  return tagOf(list, name)?.replace(/\s+/g, "");
}

/** The text with an empty value for the tag `b`, as it was when its signature was made (RFC 6376 §3.7). */
export function withoutSignature({ text, places }: TagList): string {
  const place = places.get("b");
  return place === undefined ? text : text.slice(0, place.start) + text.slice(place.end);
}
