import type { Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { forwardMarkIn } from "./forward-mark.ts";
import type { ItemCollector } from "./item-collector.ts";
import { causeOfEmptyForward } from "./known-cause.ts";
import type { ExtractOptions } from "./limits.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "./place-in-words.ts";
import { findInProse } from "./prose.ts";

/** A part of plain text: JSON that is the whole text, fenced, or alone amid prose (contract §4 rule 4). */
export function readTextPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const proseOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  let text = part.text();
  let prose = findInProse(text, proseOptions);
  let extra: readonly Repair[] = [];
  // What a relay cut inside a token does not read as JSON any more.
  const isDamaged = prose.failures.length > 0 || (prose.items.length === 0 && /[{[]/.test(text));
  const rejoined = isDamaged && options.repair ? part.rejoined() : undefined;
  if (rejoined !== undefined) {
    const again = findInProse(rejoined.text, proseOptions);
    if (again.items.length > prose.items.length) {
      prose = again;
      text = rejoined.text;
      extra = [rejoined.repair];
    }
  }
  const mark = prose.items.length > 0 ? forwardMarkIn(text) : undefined;
  const markLine = mark === undefined ? Number.POSITIVE_INFINITY : text.slice(0, mark).split("\n").length;
  for (const { value, quoted, repaired, duplicateKeys, line } of prose.items) {
    const source = sourceOf(part, "text", { quoted, forwarded: line > markLine });
    collector.json({ source }, { kind: "json", values: [value], repaired, duplicateKeys }, extra);
  }
  for (const { quoted, ...failure } of prose.failures)
    collector.skip({ source: sourceOf(part, "text", { quoted }), ...failure });
  if (prose.tooDeep) collector.json({ source: sourceOf(part, "text") }, { kind: "too-deep" });
  if (prose.items.length > 0) return;
  if (forwardMarkIn(text) !== undefined) collector.cause ??= causeOfEmptyForward(text);
  if (prose.failures.length === 0)
    collector.note(`${placeInWords(sourceOf(part, null))} has no object or array that stands alone in its text`);
}
