import type { JsonText } from "../model/mail.ts";

/** One microdata item: what the algorithm found, before it becomes JSON-LD. */
export interface MicrodataNode {
  /** As written. */
  readonly types: readonly string[];
  readonly itemId: string | undefined;
  readonly properties: Map<string, (string | MicrodataNode)[]>;
}

/** With or without scheme and `www.`: shops write `itemtype="//schema.org/Product"` too. */
const SCHEMA_ORG = /^(?:https?:)?(?:\/\/)?(?:www\.)?schema\.org\//i;

/**
 * An item as JSON-LD. The rule:
 *
 * - Items of schema.org get `"@context": "https://schema.org"`, and their types and properties its bare terms.
 * - Items of another vocabulary get `"@context": {"@vocab": …}` with the part of their first type up to the last `/` or
 *   `#` (Microdata to RDF §"vocabulary"), and keep their types as full addresses.
 * - A nested item has a context of its own only where the vocabulary changes; an item without a type speaks that of the
 *   item around it, and at the top none.
 * - `@id` is the itemid. A property with one value has it plain, with several as an array; names that look like keywords
 *   of JSON-LD (`@type`) are written `%40type`, so that no page can pose as another document.
 */
export function writeMicrodata(item: MicrodataNode): JsonText {
  return write(item, undefined) as JsonText;
}

function write(item: MicrodataNode, around: string | undefined): string {
  const vocabulary = vocabularyOf(item.types) ?? around;
  const isSchemaOrg = vocabulary === "schema.org";
  const members: string[] = [];
  if (vocabulary !== undefined && vocabulary !== around)
    members.push(`"@context":${isSchemaOrg ? '"https://schema.org"' : JSON.stringify({ "@vocab": vocabulary })}`);
  const types = item.types.map((type) => JSON.stringify(isSchemaOrg ? type.replace(SCHEMA_ORG, "") : type));
  if (types.length > 0) members.push(`"@type":${oneOrMany(types)}`);
  if (item.itemId !== undefined) members.push(`"@id":${JSON.stringify(item.itemId)}`);
  for (const [name, values] of item.properties) {
    const term = (isSchemaOrg ? name.replace(SCHEMA_ORG, "") : name).replace(/^@/, "%40");
    const written = values.map((value) =>
      typeof value === "string" ? JSON.stringify(value) : write(value, vocabulary),
    );
    members.push(`${JSON.stringify(term)}:${oneOrMany(written)}`);
  }
  return `{${members.join(",")}}`;
}

function oneOrMany(written: readonly string[]): string {
  return written.length === 1 ? (written[0] ?? "null") : `[${written.join(",")}]`;
}

function vocabularyOf([type]: readonly string[]): string | undefined {
  if (type === undefined) return undefined;
  if (SCHEMA_ORG.test(type)) return "schema.org";
  const end = Math.max(type.lastIndexOf("#"), type.lastIndexOf("/")) + 1;
  return end > 0 ? type.slice(0, end) : undefined;
}
