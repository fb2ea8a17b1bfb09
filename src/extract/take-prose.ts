import type { ItemSource, Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { forwardMarkIn } from "./forward-mark.ts";
import type { ItemCollector } from "./item-collector.ts";
import { positionOf } from "./json-string.ts";
import { lostIn } from "./losses.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "../model/place-in-words.ts";
import type { ProseItem, ProseReading } from "./prose.ts";

/** A text that was looked through, and what its place says of all that stands in it. */
export interface ReadProse {
  readonly element: ItemSource["element"];
  readonly text: string;
  readonly reading: ProseReading;
  readonly quoted: boolean;
  /** What was repaired in the text before an item could be read; nothing without it. */
  readonly mendedBefore?: (item: ProseItem) => readonly Repair[];
  /** The address against which relative IRIs are read. */
  readonly baseUrl?: string;
  /** Why a U+FFFD in the text is not the sender's; `undefined` when it is. */
  readonly losses?: string | undefined;
}

/** Hands what was found in a text to the collector: items, failures and limits, each with its place. */
export function takeProse(part: MailPart, prose: ReadProse, collector: ItemCollector): void {
  const { element, text, reading, mendedBefore, losses } = prose;
  const base = prose.baseUrl === undefined ? {} : { baseUrl: prose.baseUrl };
  const mark = reading.items.length > 0 ? forwardMarkIn(text) : undefined;
  const markLine = mark === undefined ? Number.POSITIVE_INFINITY : positionOf(text, mark + 1).line;
  for (const item of reading.items) {
    const { value, repaired, duplicateKeys } = item;
    const source = sourceOf(part, element, { quoted: prose.quoted || item.quoted, forwarded: item.line > markLine });
    const lost = lostIn(value, losses);
    if (lost !== undefined) collector.skip({ source, reason: lost.reason });
    else
      collector.json(
        { source, ...base },
        { kind: "json", values: [value], repaired, duplicateKeys },
        mendedBefore?.(item),
      );
  }
  for (const { quoted, ...failure } of reading.failures)
    collector.skip({ source: sourceOf(part, element, { quoted: prose.quoted || quoted }), ...failure });
  const source = sourceOf(part, element);
  if (reading.tooDeep) collector.json({ source }, { kind: "too-deep" });
  if (reading.tooMany) collector.reached("items", `far too many values in ${placeInWords(source)}`);
}
