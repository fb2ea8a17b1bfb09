import type { Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { baseOf, baseUrlOf } from "./base-url.ts";
import { forwardMarkInHtml } from "./forward-mark.ts";
import type { ItemCollector, Place } from "./item-collector.ts";
import { causeOfEmptyForward, otherMarkupIn } from "./known-cause.ts";
import type { HtmlLimitPassed } from "./html-tree.ts";
import type { ExtractOptions } from "./limits.ts";
import { proseOptionsOf } from "./limits.ts";
import { readJson } from "./json-text.ts";
import { lossesOf, lostIn } from "./losses.ts";
import { mayShowJson } from "./may-show-json.ts";
import { findMicrodata } from "./microdata.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "../model/place-in-words.ts";
import { findInProse } from "./prose.ts";
import type { Script } from "./scripts.ts";
import { findScripts } from "./scripts.ts";
import { takeProse } from "./take-prose.ts";
import { visibleText } from "./visible-text.ts";

const NO_MARK = Number.POSITIVE_INFINITY;

/** An HTML part: its data scripts, its microdata, and only where those gave nothing the JSON in its text (contract §4 rules 2, 3). */
export function readHtmlPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const html = part.text();
  const foundBefore = collector.found;
  const scripts = findScripts(html);
  // Looked for only where it says something: of an item, or of why there is none.
  let knownMark: number | undefined;
  const forwardMark = () => (knownMark ??= forwardMarkInHtml(html) ?? NO_MARK);
  const rejoined = new RejoinedPage(part, scripts);
  const losses = lossesOf(part);
  if (part.fidelity() === "unknown-charset") collector.skip({ source: sourceOf(part, "text"), reason: losses ?? "" });
  const documentBase = baseUrlOf(html, baseOf(part, options).baseUrl);
  const base = documentBase === undefined ? {} : { baseUrl: documentBase };
  for (const script of scripts) {
    const source = sourceOf(part, "script", { quoted: script.quoted, forwarded: script.start > forwardMark() });
    readScript(script, { source, ...base }, rejoined, collector, options);
    if (collector.limit !== undefined) return;
  }
  const microdata = findMicrodata(html, documentBase, options.limits);
  if (microdata.kind === "limit") return passed(part, collector, microdata);
  const ownItems = microdata.items.length === 0 ? 0 : itemsBefore(html, forwardMark());
  for (const { types, value, quoted, itemsBefore: before } of microdata.items) {
    const source = sourceOf(part, "microdata", { quoted, forwarded: before >= ownItems });
    const lost = lostIn(value, losses);
    if (lost === undefined) collector.add({ source, ...base }, { format: "microdata", types, value, repaired: [] });
    else collector.skip({ source, reason: lost.reason });
  }
  if (collector.found === foundBefore)
    readVisible(part, { html, base, forwardMark: forwardMark() }, collector, options);
}

/** How many elements with `itemscope` stand before the forward's mark; all of them when there is no mark. */
function itemsBefore(html: string, mark: number): number {
  if (mark === NO_MARK) return NO_MARK;
  return html.slice(0, mark).match(/<[^<>]{1,500}\sitemscope\b/gi)?.length ?? 0;
}

function readScript(
  script: Script,
  where: Pick<Place, "source" | "baseUrl">,
  rejoined: RejoinedPage,
  collector: ItemCollector,
  options: ExtractOptions,
): void {
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  // The declared type decides, whatever a script holds (contract §4 rule 2).
  const isLinked = script.type === "application/ld+json";
  const place = { ...where, isLinked, isPlain: !isLinked, key: script.key };
  const lost = lostIn(script.text, rejoined.losses);
  const strict = lost ?? readJson(script.text, { ...readOptions, repair: false });
  if (strict.kind !== "invalid" || !options.repair) return collector.json(place, strict);
  const whole = rejoined.script(script);
  const again = whole === undefined ? undefined : readJson(whole.text, readOptions);
  if (whole !== undefined && again?.kind === "json") return collector.json(place, again, [whole.repair]);
  return collector.json(place, lost ?? readJson(script.text, readOptions));
}

/**
 * The page with lines put together that a relay cut, made when the first damaged script asks for it, and once: the width of
 * a line counts from its start in the page, not in the script.
 */
class RejoinedPage {
  /** What was lost when the page was decoded as it came. */
  readonly losses: string | undefined;
  readonly #part: MailPart;
  readonly #scripts: readonly Script[];
  #page:
    | { readonly scripts: readonly Script[]; readonly repair: Repair; readonly losses: string | undefined }
    | undefined
    | null = null;

  constructor(part: MailPart, scripts: readonly Script[]) {
    this.#part = part;
    this.#scripts = scripts;
    this.losses = lossesOf(part);
  }

  /** The script as it was before the relay, `undefined` when nothing was cut in it, or more was lost than line ends. */
  script(cut: Script): { readonly text: string; readonly repair: Repair } | undefined {
    if (this.#page === null) {
      const rejoined = this.#part.rejoined();
      this.#page = rejoined && {
        scripts: findScripts(rejoined.text),
        repair: rejoined.repair,
        losses: lossesOf(this.#part, rejoined.fidelity),
      };
    }
    const whole = this.#page?.scripts[this.#scripts.indexOf(cut)];
    if (this.#page === undefined || whole === undefined || whole.text === cut.text) return undefined;
    return lostIn(whole.text, this.#page.losses) === undefined
      ? { text: whole.text, repair: this.#page.repair }
      : undefined;
  }
}

function readVisible(
  part: MailPart,
  {
    html,
    base,
    forwardMark,
  }: { readonly html: string; readonly base: Pick<Place, "baseUrl">; readonly forwardMark: number },
  collector: ItemCollector,
  options: ExtractOptions,
): void {
  const before = collector.found;
  const visible = mayShowJson(html) ? visibleText(html, options.limits) : undefined;
  if (visible?.kind === "limit") return passed(part, collector, visible);
  let inBlocks: number | undefined;
  for (const block of visible?.blocks ?? []) {
    // The whole text, quoted and not, holds what the blocks held.
    if (block.element === "text" && (inBlocks ??= collector.found) > before) break;
    const { element, text, quoted } = block;
    const reading = findInProse(text, proseOptionsOf(options));
    takeProse(part, { element, text, quoted, reading, ...base, losses: lossesOf(part) }, collector);
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
