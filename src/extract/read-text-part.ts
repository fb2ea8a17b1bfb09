import type { Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { baseOf } from "./base-url.ts";
import { forwardMarkIn } from "./forward-mark.ts";
import type { ItemCollector } from "./item-collector.ts";
import { causeOfEmptyForward } from "./known-cause.ts";
import type { ExtractOptions } from "./limits.ts";
import { proseOptionsOf } from "./limits.ts";
import { lossesOf, lostIn } from "./losses.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "../model/place-in-words.ts";
import type { ProseItem, ProseReading } from "./prose.ts";
import { findInProse } from "./prose.ts";
import { takeOffLinks } from "./repairs/written-out-links.ts";
import { takeProse } from "./take-prose.ts";

/** A text that was looked through, and what was repaired in it before an item could be read. */
interface Looked {
  readonly text: string;
  readonly reading: ProseReading;
  readonly mendedBefore: (item: ProseItem) => readonly Repair[];
  readonly losses: string | undefined;
}

/** A part of plain text: JSON that is the whole text, fenced, or alone amid prose (contract §4 rule 4). */
export function readTextPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const losses = lossesOf(part);
  if (part.fidelity() === "unknown-charset") collector.skip({ source: sourceOf(part, "text"), reason: losses ?? "" });
  const sent = lookThrough(part.text(), losses, options);
  const whole = isDamaged(sent) && options.repair ? rejoined(part, sent, options) : undefined;
  const { text, reading } = whole ?? sent;
  takeProse(part, { element: "text", quoted: false, ...(whole ?? sent), ...baseOf(part, options) }, collector);
  if (reading.items.length > 0) return;
  if (forwardMarkIn(text) !== undefined) collector.cause ??= causeOfEmptyForward(text);
  if (reading.failures.length === 0)
    collector.note(`${placeInWords(sourceOf(part, null))} has no object or array that stands alone in its text`);
}

/** Looks through a text without the links that a client wrote out; only what was read otherwise with them is named repaired. */
function lookThrough(sent: string, losses: string | undefined, options: ExtractOptions): Looked {
  const reading = findInProse(sent, proseOptionsOf(options));
  const text = options.repair ? takeOffLinks(sent) : sent;
  if (text === sent) return { text, reading, losses, mendedBefore: () => [] };
  const values = new Set(reading.items.map(({ value }) => value));
  return {
    text,
    reading: findInProse(text, proseOptionsOf(options)),
    losses,
    mendedBefore: ({ value }) => (values.has(value) ? [] : ["written-out-link"]),
  };
}

/** What a relay cut inside a token does not read as JSON any more, or was lost with half of a character. */
function isDamaged({ text, reading: { items, failures }, losses }: Looked): boolean {
  if (failures.length > 0 || (items.length === 0 && /[{[]/.test(text))) return true;
  return items.some(({ value }) => lostIn(value, losses) !== undefined);
}

/** The text with lines put together that a relay cut, when more stands in it then; only what was not read before is named repaired. */
function rejoined(part: MailPart, cut: Looked, options: ExtractOptions): Looked | undefined {
  const whole = part.rejoined();
  if (whole === undefined) return undefined;
  const looked = lookThrough(whole.text, lossesOf(part, whole.fidelity), options);
  if (soundIn(looked) <= soundIn(cut)) return undefined;
  const before = new Set(cut.reading.items.map(({ value }) => value));
  return {
    ...looked,
    mendedBefore: (item) => (before.has(item.value) ? [] : [whole.repair, ...looked.mendedBefore(item)]),
  };
}

function soundIn({ reading, losses }: Looked): number {
  return reading.items.filter(({ value }) => lostIn(value, losses) === undefined).length;
}
