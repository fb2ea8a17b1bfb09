import { isUtf8 } from "node:buffer";

import type { Repair } from "../model/item.ts";
import type { MailPart } from "../model/mail-part.ts";
import type { ItemCollector } from "./item-collector.ts";
import type { ExtractOptions } from "./limits.ts";
import type { JsonReading } from "./json-text.ts";
import { readJson } from "./json-text.ts";
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
  collector.json({ source: sourceOf(part, null), isLinked: isLinkedPart(part) }, reading, extra);
}

/** A part with one JSON text in each line (contract §4 rule 1; ndjson, JSON Lines). Positions are those of the part. */
export function readLinesPart(part: MailPart, collector: ItemCollector, options: ExtractOptions): void {
  const text = part.text();
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  const isDamaged = (line: string) => readJson(line, { ...readOptions, repair: false }).kind === "invalid";
  const rejoined = options.repair && text.split("\n").some(isDamaged) ? part.rejoined() : undefined;
  const extra: readonly Repair[] = rejoined === undefined ? [] : [rejoined.repair];
  const source = sourceOf(part, null);
  let number = 0;
  for (const line of (rejoined?.text ?? text).split("\n")) {
    number += 1;
    const reading = readJson(line, readOptions);
    if (reading.kind === "empty") continue;
    collector.json({ source }, reading.kind === "invalid" ? { ...reading, line: number } : reading, extra);
    if (collector.limit !== undefined) return;
  }
}

/** The part's text; if that is damaged, first with lines put together that a relay cut, then with the other repairs. */
function readWhole(part: MailPart, options: ExtractOptions): { reading: JsonReading; extra: readonly Repair[] } {
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  const text = part.text();
  const bom: readonly Repair[] = hasUtf8Mark(part) && !text.startsWith("\uFEFF") ? ["bom"] : [];
  const strict = readJson(text, { ...readOptions, repair: false });
  if (!options.repair) return { reading: strictly(part, strict, bom), extra: [] };
  if (strict.kind !== "invalid") return { reading: strict, extra: bom };
  const rejoined = part.rejoined();
  const again = rejoined === undefined ? undefined : readJson(rejoined.text, readOptions);
  if (rejoined !== undefined && again?.kind === "json") return { reading: again, extra: [...bom, rejoined.repair] };
  return { reading: readJson(text, readOptions), extra: bom };
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
