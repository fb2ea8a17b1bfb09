import { timingSafeEqual } from "node:crypto";

import type { Item, ItemPlace } from "../model/item.ts";

/**
 * The items that stood under the hook's key, in a place that did: a script with the right `data-kustomer-key`, or anywhere
 * in a mail with the right `X-Hook-Key` (contract §2 `key`).
 */
export function itemsUnderKey(items: readonly Item[], keyValue: string): Item[] {
  return items.flatMap((item) => {
    const [first, ...others] = [item, ...(item.repeated ?? [])].filter(
      ({ key }) => key !== undefined && isSameSecret(key, keyValue),
    );
    return first === undefined ? [] : [atPlaces(item, first, others)];
  });
}

/** The item as it stands in the places that count. */
function atPlaces(item: Item, first: ItemPlace, others: readonly ItemPlace[]): Item {
  const { repeated: _all, ...own } = item;
  const { source, format } = first;
  return { ...own, source, format, ...(others.length > 0 && { repeated: others }) };
}

/** Constant time for secrets of one length; the length itself is no secret. */
function isSameSecret(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}
