import { isUtf8 } from "node:buffer";

import type { Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import { baseOf } from "./base-url.ts";
import type { ItemCollector } from "./item-collector.ts";
import type { ExtractOptions } from "./limits.ts";
import type { JsonReading } from "./json-text.ts";
import { readJson } from "./json-text.ts";
import { lossesOf, lostIn } from "./losses.ts";
import { sourceOf } from "./part-source.ts";

/** `application/ld+json`, and the names for it that senders made up. */
const LINKED_MEDIA = /^application\/(?:x-)?(?:ld\+json|json\+ld|json-ld|ld-json|jsonld)$/;

/** Whether a part says that it is JSON-LD, by its media type or its name. */
export function isLinkedPart({ mediaType, filename }: MailPart): boolean {
  return LINKED_MEDIA.test(mediaType) || filename?.toLowerCase().endsWith(".jsonld") === true;
}

/** A part that is JSON as a whole (contract §4 rule 1). */
export function readJsonPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const { reading, extra } = readWhole(part, options);
  const place = { source: sourceOf(part, null), isLinked: isLinkedPart(part), ...baseOf(part, options) };
  collector.json(place, reading, extra);
}

/** A part with one JSON text in each line (contract §4 rule 1; ndjson, JSON Lines). Positions are those of the part. */
export function readLinesPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  const text = part.text();
  const losses = lossesOf(part);
  const isDamaged = (line: string) =>
    lostIn(line, losses) !== undefined || readJson(line, { ...readOptions, repair: false }).kind === "invalid";
  const rejoined = options.repair && text.split("\n").some(isDamaged) ? part.rejoined() : undefined;
  const extra: readonly Repair[] = rejoined === undefined ? [] : [rejoined.repair];
  const left = rejoined === undefined ? losses : lossesOf(part, rejoined.fidelity);
  const source = sourceOf(part, null);
  let number = 0;
  for (const line of (rejoined?.text ?? text).split("\n")) {
    number += 1;
    const reading = lostIn(line, left) ?? readJson(line, readOptions);
    if (reading.kind === "empty") continue;
    const place = { source, ...baseOf(part, options) };
    collector.json(place, reading.kind === "invalid" ? { ...reading, line: number } : reading, extra);
    if (collector.limit !== undefined) return;
  }
}

/** The part's text; if that is damaged, first with lines put together that a relay cut, then with the other repairs. */
function readWhole(part: MailPart, options: ExtractOptions): { reading: JsonReading; extra: readonly Repair[] } {
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  const text = part.text();
  const lost = lostIn(text, lossesOf(part));
  const bom: readonly Repair[] = hasUtf8Mark(part) && !text.startsWith("\uFEFF") ? ["bom"] : [];
  const strict = lost ?? readJson(text, { ...readOptions, repair: false });
  if (!options.repair) return { reading: strictly(part, strict, bom), extra: [] };
  if (strict.kind !== "invalid") return { reading: strict, extra: bom };
  const rejoined = part.rejoined();
  const isWhole = rejoined !== undefined && lostIn(rejoined.text, lossesOf(part, rejoined.fidelity)) === undefined;
  const again = isWhole ? readJson(rejoined.text, readOptions) : undefined;
  if (rejoined !== undefined && again?.kind === "json") return { reading: again, extra: [...bom, rejoined.repair] };
  return { reading: lost ?? readJson(text, readOptions), extra: bom };
}

/** Without repairs JSON is UTF-8 without a mark (RFC 8259 §8.1), whatever a lenient reader could make of it. */
function strictly(part: MailPart, reading: JsonReading, bom: readonly Repair[]): JsonReading {
  if (reading.kind !== "json") return reading;
  if (bom.length > 0) return { kind: "invalid", line: 1, column: 1, reason: "a byte order mark stands first" };
  if (isUtf8(part.bytes) || /charset/i.test(contentTypeOf(part))) return reading;
  return { kind: "invalid", line: 1, column: 1, reason: "it is not valid UTF-8" };
}

function contentTypeOf(part: MailPart): string {
  return part.headers.find(({ name }) => name.toLowerCase() === "content-type")?.value ?? "";
}

function hasUtf8Mark({ bytes }: MailPart): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
