import { matchesGlob } from "../lib/glob.ts";
import type { Selection } from "../model/hook-options.ts";
import type { Item, ItemPlace } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import type { JsonObject } from "./json-node.ts";
import { memberOf, parseNode, writeNode } from "./json-node.ts";
import type { TopNode } from "./types.ts";
import { absoluteType, topNodesOf, typesOfTop } from "./types.ts";

/** The item that becomes the payload, and what of it: the whole text, or the node that `select` means. */
export interface Selected {
  readonly item: Item;
  readonly value: JsonText;
}

const SCHEMA_ORG = "https://schema.org/";

/**
 * What `selection` picks, or without one the first in the order of contract §4: JSON part, JSON-LD script, JSON script,
 * microdata, text. That order also decides between several that a selection fits. `undefined` when nothing fits.
 */
export function selectItem(items: readonly Item[], selection: Selection | undefined): Selected | undefined {
  const inOrder = items.toSorted((a, b) => rankOf(a) - rankOf(b));
  if (selection !== undefined && "type" in selection) return selectType(inOrder, selection.type);
  const item = inOrder.find((candidate) => selection === undefined || fits(candidate, selection));
  return item === undefined ? undefined : { item, value: item.value };
}

function fits(item: Item, selection: Exclude<Selection, { type: string }>): boolean {
  const places = [item, ...(item.repeated ?? [])];
  return "format" in selection
    ? places.some(({ format }) => format === selection.format)
    : places.some(({ source: { filename } }) => filename !== null && matchesGlob(filename, selection.filename));
}

/** The best place counts where an equal value stood in several. */
function rankOf(item: Item): number {
  return (item.repeated ?? []).reduce((best, place) => Math.min(best, rankOfPlace(place)), rankOfPlace(item));
}

function rankOfPlace({ source: { element }, format }: ItemPlace): number {
  if (element === null) return 0;
  if (element === "script") return format === "json-ld" ? 1 : 2;
  return element === "microdata" ? 3 : 4;
}

function selectType(items: readonly Item[], wanted: string): Selected | undefined {
  const isWanted = matcherOf(wanted);
  for (const item of items) {
    if (!item.types.some(isWanted)) continue;
    const top = topNodesOf(parseNode(item.value)).find((node) => typesOfTop(node).some(isWanted));
    if (top !== undefined) return { item, value: top.taken ? takenOut(top) : item.value };
  }
  return undefined;
}

/** Any spelling of schema.org, any case; a bare name means schema.org's, or the type as it was sent. */
function matcherOf(wanted: string): (type: string) => boolean {
  const written = wanted.trim().replace(/^schema:/i, SCHEMA_ORG);
  const absolute = absoluteType(
    /^(?:www\.)?schema\.org\//i.test(written) ? `https://${written}` : written,
  ).toLowerCase();
  const name = (absolute.startsWith(SCHEMA_ORG) ? absolute.slice(SCHEMA_ORG.length) : absolute).replace(/\/$/, "");
  return (type) => {
    const lower = type.toLowerCase();
    return lower === absolute || lower === SCHEMA_ORG + name || lower === name;
  };
}

/** A node taken out of an array or `@graph` gets the context that held for it there, its own behind those around it. */
function takenOut({ node, context }: TopNode): JsonText {
  if (node.kind !== "object" || context === undefined || context === memberOf(node, "@context")) return writeNode(node);
  const others = node.members.filter(({ name }) => name !== "@context");
  const members: JsonObject["members"] = [{ name: "@context", rawName: '"@context"', value: context }, ...others];
  return writeNode({ kind: "object", members });
}
