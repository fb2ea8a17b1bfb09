import type { Item, Skipped } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import type { CutHookIds } from "../model/cut-hook-ids.ts";
import { arrayOf, objectOf, toCutJson, toJson } from "./json.ts";

/** `data.items`: where each item was found and its value as sent. The key it came under is left out (contract §5). */
export function itemsJson(items: readonly Item[]): JsonText {
  return arrayOf(items.map(itemJson));
}

function itemJson(item: Item): JsonText {
  return objectOf([
    ["format", toJson(item.format)],
    ["source", toJson(item.source)],
    ["types", toJson(item.types)],
    ["repaired", toJson(item.repaired)],
    ["context", item.context && toJson(item.context)],
    ["duplicateKeys", item.duplicateKeys && toJson(item.duplicateKeys)],
    ["value", item.value],
  ]);
}

/** `data.skipped`: what looked like an item and was none; left out when there is nothing to say. */
export function skippedJson(skipped: readonly Skipped[], cut: CutHookIds): JsonText | undefined {
  return skipped.length === 0 ? undefined : toCutJson(skipped, cut);
}
