/** A microdata item without the form that one tool gives it. */
export interface ShapedItem {
  readonly types: readonly string[];
  readonly properties: ReadonlyMap<string, readonly (string | ShapedItem)[]>;
}

const SCHEMA_ORG = /^https?:\/\/(?:www\.)?schema\.org\//i;

/** Our JSON-LD as items; the terms of other vocabularies and of schema.org alike are the plain property names. */
export function shapeOfJsonLd(value: unknown): ShapedItem {
  const properties = new Map<string, (string | ShapedItem)[]>();
  const { "@type": type, "@context": _context, "@id": _id, ...members } = value as Record<string, unknown>;
  for (const [name, written] of Object.entries(members))
    properties.set(nameOf(name), listOf(written).map(shapeOfValue));
  return { types: listOf(type).map((one) => nameOf(String(one))), properties };
}

function shapeOfValue(value: unknown): string | ShapedItem {
  return typeof value === "object" && value !== null ? shapeOfJsonLd(value) : String(value);
}

/** Items as `{ type, properties }`, the form of WHATWG HTML §5.5 and of extruct. */
export function shapeOfPlain(value: unknown): ShapedItem {
  const { type, properties: members } = value as { type?: unknown; properties?: Record<string, unknown> };
  const properties = new Map<string, (string | ShapedItem)[]>();
  for (const [name, written] of Object.entries(members ?? {})) {
    const values = listOf(written).map((one) =>
      typeof one === "object" && one !== null ? shapeOfPlain(one) : String(one),
    );
    properties.set(nameOf(name), values);
  }
  return { types: listOf(type).map((one) => nameOf(String(one))), properties };
}

export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

export function nameOf(type: string): string {
  return type.replace(SCHEMA_ORG, "");
}

/** Where two lists of items differ, `undefined` when they say the same. Blanks do not count, nor does how an address is written. */
export function differenceOf(
  ours: readonly ShapedItem[],
  theirs: readonly ShapedItem[],
  baseUrls: readonly string[],
): string | undefined {
  if (ours.length !== theirs.length) return `${ours.length} items instead of ${theirs.length}`;
  for (const [index, item] of theirs.entries()) {
    const own = ours[index];
    const difference = own === undefined ? "missing" : itemDifference(own, item, baseUrls);
    if (difference !== undefined) return `item ${index}: ${difference}`;
  }
  return undefined;
}

function itemDifference(ours: ShapedItem, theirs: ShapedItem, baseUrls: readonly string[]): string | undefined {
  if (ours.types.join(" ") !== theirs.types.join(" "))
    return `types ${ours.types.join(" ")} instead of ${theirs.types.join(" ")}`;
  const names = new Set([...ours.properties.keys(), ...theirs.properties.keys()]);
  for (const name of names) {
    const difference = valuesDifference(ours.properties.get(name) ?? [], theirs.properties.get(name) ?? [], baseUrls);
    if (difference !== undefined) return `${name}: ${difference}`;
  }
  return undefined;
}

function valuesDifference(
  ours: readonly (string | ShapedItem)[],
  theirs: readonly (string | ShapedItem)[],
  baseUrls: readonly string[],
): string | undefined {
  if (ours.length !== theirs.length) return `${ours.length} values instead of ${theirs.length}`;
  for (const [index, value] of theirs.entries()) {
    const own = ours[index];
    if (typeof value === "string" && typeof own === "string") {
      if (!sameText(own, value, baseUrls)) return `${JSON.stringify(own)} instead of ${JSON.stringify(value)}`;
    } else if (typeof value === "object" && typeof own === "object") {
      const difference = itemDifference(own, value, baseUrls);
      if (difference !== undefined) return difference;
    } else return "an item against a text";
  }
  return undefined;
}

function sameText(ours: string, theirs: string, baseUrls: readonly string[]): boolean {
  const plain = (text: string) => text.replace(/\s+/g, "");
  if (plain(ours) === plain(theirs)) return true;
  return baseUrls.some((base) => {
    const [one, other] = [URL.parse(ours, base)?.href, URL.parse(theirs, base)?.href];
    return one !== undefined && one === other;
  });
}
