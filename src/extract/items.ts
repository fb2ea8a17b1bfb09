import type { Extraction } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { ItemCollector } from "./item-collector.ts";
import type { ExtractOptions } from "./limits.ts";
import { readHtmlPart } from "./read-html-part.ts";
import { isLinkedPart, readJsonPart, readLinesPart } from "./read-json-part.ts";
import { readTextPart } from "./read-text-part.ts";
import { sourceOf } from "./part-source.ts";
import { placeInWords } from "../model/place-in-words.ts";

/** `application/json`, `text/json` and every `+json` (WHATWG MIME Sniffing §4.6); with `x-`, as senders write them. */
const JSON_MEDIA = /^(?:(?:application|text)\/(?:x-)?json|[^\s/]+\/[^\s/]+\+json)$/;
const LINES_MEDIA = /^(?:application|text)\/(?:x-)?(?:ndjson|ldjson|jsonlines|json-lines|jsonl|json-l)$/;
/** With AMP for e-mail, whose pages carry the same scripts as the HTML beside them. */
const HTML_MEDIA = /^(?:text\/html|application\/xhtml\+xml|text\/x-amp-html)$/;
const TEXT_MEDIA = /^text\/(?:plain|markdown)$/;

/**
 * Everything that is data in the leaves of a mail, in document order and, inside a leaf, in the order of contract §4.
 * Pure and synchronous; never throws.
 *
 * Items equal as JSON values are listed once, the first place wins. A limit that is passed ends it: nothing is cut.
 */
export function extractItems(parts: readonly MailPart[], options: ExtractOptions): Extraction {
  const collector = new ItemCollector(options.limits, options.hookKeyHeader);
  for (const part of parts) {
    if (collector.limit !== undefined) break;
    readPart(part, collector, options);
  }
  return collector.extraction();
}

function readPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const { mediaType } = part;
  const name = part.filename?.toLowerCase() ?? "";
  const where = () => placeInWords(sourceOf(part, null));
  if (part.encrypted) return collector.note(`${where()} is encrypted and was not read`);
  if (LINES_MEDIA.test(mediaType) || /\.(?:ndjson|jsonl)$/.test(name)) return readLinesPart(part, collector, options);
  if (JSON_MEDIA.test(mediaType) || isLinkedPart(part) || name.endsWith(".json"))
    return readJsonPart(part, collector, options);
  if (HTML_MEDIA.test(mediaType)) return readHtmlPart(part, collector, options);
  if (TEXT_MEDIA.test(mediaType)) return readTextPart(part, collector, options);
  return collector.note(`${where()} holds neither JSON nor text`);
}
