import type { Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { forwardMarkIn } from "./forward-mark.ts";
import type { ItemCollector } from "./item-collector.ts";
import { causeOfEmptyForward } from "./known-cause.ts";
import type { ExtractOptions } from "./limits.ts";
import { proseOptionsOf } from "./limits.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "./place-in-words.ts";
import type { ProseReading } from "./prose.ts";
import { findInProse } from "./prose.ts";
import { takeProse } from "./take-prose.ts";

/** A part of plain text: JSON that is the whole text, fenced, or alone amid prose (contract §4 rule 4). */
export function readTextPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const text = part.text();
  const reading = findInProse(text, proseOptionsOf(options));
  const whole = isDamaged(reading, text) && options.repair ? rejoinedReading(part, reading, options) : undefined;
  const { items, failures } = whole?.reading ?? reading;
  takeProse(part, { element: "text", quoted: false, text, reading, ...whole }, collector);
  if (items.length > 0) return;
  if (forwardMarkIn(text) !== undefined) collector.cause ??= causeOfEmptyForward(text);
  if (failures.length === 0)
    collector.note(`${placeInWords(sourceOf(part, null))} has no object or array that stands alone in its text`);
}

/** What a relay cut inside a token does not read as JSON any more. */
function isDamaged({ items, failures }: ProseReading, text: string): boolean {
  return failures.length > 0 || (items.length === 0 && /[{[]/.test(text));
}

/** The text with lines put together that a relay cut, when more stands in it then; only what was not read before is named mended. */
function rejoinedReading(part: MailPart, cut: ProseReading, options: ExtractOptions) {
  const rejoined = part.rejoined();
  if (rejoined === undefined) return undefined;
  const { text, repair } = rejoined;
  const reading = findInProse(text, proseOptionsOf(options));
  if (reading.items.length <= cut.items.length) return undefined;
  const before = new Set(cut.items.map(({ value }) => value));
  const mendedBefore = ({ value }: { value: ProseReading["items"][number]["value"] }): readonly Repair[] =>
    before.has(value) ? [] : [repair];
  return { text, reading, mendedBefore };
}
