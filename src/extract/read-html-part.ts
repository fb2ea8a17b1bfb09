import type { MailPart } from "../model/mail-part.ts";
import { baseUrlOf } from "./base-url.ts";
import { forwardMarkIn } from "./forward-mark.ts";
import type { ItemCollector } from "./item-collector.ts";
import { causeOfEmptyForward, otherMarkupIn } from "./known-cause.ts";
import type { HtmlLimitPassed } from "./html-tree.ts";
import type { ExtractOptions } from "./limits.ts";
import { readJson } from "./json-text.ts";
import { findMicrodata } from "./microdata.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "./place-in-words.ts";
import { findInProse } from "./prose.ts";
import type { Script } from "./scripts.ts";
import { findScripts } from "./scripts.ts";
import { visibleText } from "./visible-text.ts";

/** What may become a bracket in visible text: itself, or a character reference to it. */
const BRACKET = /[{[]|&#(?:123|91|x7b|x5b)\b|&l(?:brace|cub|brack|sqb);/i;
const NO_MARK = Number.POSITIVE_INFINITY;

/** An HTML part: its data scripts, its microdata, and only where those gave nothing the JSON in its text (contract §4 rules 2, 3). */
export function readHtmlPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const html = part.text();
  const before = collector.found;
  const scripts = findScripts(html);
  const forwardMark = forwardMarkIn(html) ?? NO_MARK;
  for (const [index, script] of scripts.entries()) {
    readScript(part, script, index, forwardMark, collector, options);
    if (collector.limit !== undefined) return;
  }
  const microdata = findMicrodata(html, baseUrlOf(html, options.baseUrl), options.limits);
  if (microdata.kind === "limit") return passed(part, collector, microdata);
  for (const { types, value, quoted } of microdata.items) {
    const source = sourceOf(part, "microdata", { quoted, forwarded: quoted && forwardMark !== NO_MARK });
    collector.add({ source }, { format: "microdata", types, value, repaired: [] });
  }
  if (collector.found === before) readVisible(part, html, forwardMark, collector, options);
}

function readScript(
  part: MailPart,
  script: Script,
  index: number,
  forwardMark: number,
  collector: ItemCollector,
  options: ExtractOptions,
): void {
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  const { quoted, key } = script;
  const source = sourceOf(part, "script", { quoted, forwarded: script.start > forwardMark });
  const place = { source, isLinked: script.type === "application/ld+json", key };
  const strict = readJson(script.text, { ...readOptions, repair: false });
  if (strict.kind !== "invalid" || !options.repair) return collector.json(place, strict);
  // Only a damaged script is worth the search for lines that a relay cut, and then in the whole page, where widths count.
  const rejoined = part.rejoined();
  const whole = rejoined === undefined ? undefined : findScripts(rejoined.text)[index];
  const again = whole === undefined || whole.text === script.text ? undefined : readJson(whole.text, readOptions);
  if (rejoined !== undefined && again?.kind === "json") return collector.json(place, again, [rejoined.repair]);
  return collector.json(place, readJson(script.text, readOptions));
}

function readVisible(
  part: MailPart,
  html: string,
  forwardMark: number,
  collector: ItemCollector,
  { limits, repair }: ExtractOptions,
): void {
  const before = collector.found;
  const visible = BRACKET.test(html) ? visibleText(html, limits) : undefined;
  if (visible?.kind === "limit") return passed(part, collector, visible);
  let inBlocks: number | undefined;
  for (const block of visible?.blocks ?? []) {
    // The whole text, quoted and not, holds what the blocks held.
    if (block.element === "text" && (inBlocks ??= collector.found) > before) break;
    const prose = findInProse(block.text, { repair, maxDepth: limits.jsonDepth });
    const mark = forwardMark === NO_MARK ? undefined : forwardMarkIn(block.text);
    const markLine = mark === undefined ? NO_MARK : lineOf(block.text, mark);
    for (const { value, quoted, repaired, duplicateKeys, line } of prose.items) {
      const source = sourceOf(part, block.element, { quoted: quoted || block.quoted, forwarded: line > markLine });
      collector.json({ source }, { kind: "json", values: [value], repaired, duplicateKeys });
    }
    for (const { quoted, ...failure } of prose.failures)
      collector.skip({ source: sourceOf(part, block.element, { quoted: quoted || block.quoted }), ...failure });
    if (prose.tooDeep) collector.json({ source: sourceOf(part, block.element) }, { kind: "too-deep" });
  }
  if (collector.found > before) return;
  // What the HTML says of a forward is more telling than its text beside it.
  if (forwardMark !== NO_MARK) collector.cause = causeOfEmptyForward(html);
  collector.note(
    `${placeInWords(sourceOf(part, null))} has no data script, no microdata and no JSON in its text${otherMarkupIn(html)}`,
  );
}

function passed(part: MailPart, collector: ItemCollector, { limit, detail }: HtmlLimitPassed): void {
  collector.reached(limit, `part ${part.part}: ${detail}`);
}

const lineOf = (text: string, index: number) => text.slice(0, index).split("\n").length;
