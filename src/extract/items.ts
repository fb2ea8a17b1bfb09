import type { Extraction, Item, ItemSource, Repair, Skipped } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import type { MailPart } from "../model/mail-part.ts";
import { baseUrlOf } from "./base-url.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, parseNode } from "./json-node.ts";
import type { JsonReading } from "./json-text.ts";
import { readJson } from "./json-text.ts";
import type { ExtractLimits } from "./limits.ts";
import { findMicrodata } from "./microdata.ts";
import { findInProse } from "./prose.ts";
import { canonicalOf } from "./same-value.ts";
import { findScripts } from "./scripts.ts";
import { typesOf } from "./types.ts";
import { visibleText } from "./visible-text.ts";

export interface ExtractOptions {
  /** Whether the named repairs are tried. */
  readonly repair: boolean;
  /** The address of the page, for relative ones in it. */
  readonly baseUrl?: string;
  /** Value of the mail's `X-Hook-Key` header: it holds for every item without a key of its own. */
  readonly hookKeyHeader?: string;
  readonly limits: ExtractLimits;
}

const JSON_MEDIA = /^(?:application\/json|text\/json|application\/[a-z0-9.+-]+\+json|[a-z]+\/[a-z0-9.+-]+\+json)$/;
const LINES_MEDIA = /^application\/(?:x-)?(?:ndjson|jsonlines|json-lines|jsonl)$/;
const HTML_MEDIA = /^(?:text\/html|application\/xhtml\+xml)$/;

/**
 * Everything that is data in the leaves of a mail, in the order of contract §4. Pure and synchronous; never throws.
 *
 * Items equal as JSON values are listed once, the first place wins. A limit that is passed ends it: nothing is cut.
 */
export function extractItems(parts: readonly MailPart[], options: ExtractOptions): Extraction {
  const collector = new Collector(options);
  for (const part of parts) {
    if (collector.limit !== undefined) break;
    if (part.encrypted) collector.note(part, "is encrypted and was not read");
    else readPart(part, collector, options);
  }
  return collector.extraction();
}

function readPart(part: MailPart, collector: Collector, options: ExtractOptions): void {
  const name = part.filename?.toLowerCase() ?? "";
  if (LINES_MEDIA.test(part.mediaType) || /\.(?:ndjson|jsonl)$/.test(name)) return readLines(part, collector, options);
  if (JSON_MEDIA.test(part.mediaType) || /\.(?:json|jsonld)$/.test(name)) {
    const isLinked = part.mediaType === "application/ld+json" || name.endsWith(".jsonld");
    return collector.json(part, null, readWithRejoin(part, options), { isLinked });
  }
  if (part.disposition === "attachment" && !HTML_MEDIA.test(part.mediaType))
    return collector.note(part, "is an attachment of another kind");
  if (HTML_MEDIA.test(part.mediaType)) return readHtml(part, collector, options);
  if (part.mediaType === "text/plain") return readPlain(part, collector, options);
  return collector.note(part, "holds neither JSON nor text");
}

function readWithRejoin(part: MailPart, options: ExtractOptions): { reading: JsonReading; extra: Repair[] } {
  const readOptions = { repair: options.repair, maxDepth: options.limits.jsonDepth };
  const strict = readJson(part.text(), { ...readOptions, repair: false });
  if (strict.kind !== "invalid") return { reading: strict, extra: [] };
  const rejoined = options.repair ? part.rejoined() : undefined;
  if (rejoined !== undefined) {
    const reading = readJson(rejoined.text, readOptions);
    if (reading.kind === "json") return { reading, extra: [rejoined.repair] };
  }
  return { reading: readJson(part.text(), readOptions), extra: [] };
}

function readLines(part: MailPart, collector: Collector, options: ExtractOptions): void {
  for (const line of part.text().split("\n")) {
    if (line.trim() === "") continue;
    collector.json(
      part,
      null,
      { reading: readJson(line, { repair: options.repair, maxDepth: options.limits.jsonDepth }), extra: [] },
      { isLinked: false },
    );
    if (collector.limit !== undefined) return;
  }
}

function readHtml(part: MailPart, collector: Collector, options: ExtractOptions): void {
  const { limits } = options;
  const rejoined = options.repair ? part.rejoined() : undefined;
  const html = part.text();
  const before = collector.count;
  const scripts = findScripts(html);
  const rejoinedScripts = rejoined === undefined ? [] : findScripts(rejoined.text);
  for (const [index, script] of scripts.entries()) {
    const readOptions = { repair: options.repair, maxDepth: limits.jsonDepth };
    let reading = readJson(script.text, readOptions);
    const whole = rejoinedScripts[index];
    const extra: Repair[] = [];
    if (
      whole !== undefined &&
      rejoined !== undefined &&
      whole.text !== script.text &&
      readJson(script.text, { ...readOptions, repair: false }).kind === "invalid"
    ) {
      const again = readJson(whole.text, readOptions);
      if (again.kind === "json") {
        reading = again;
        extra.push(rejoined.repair);
      }
    }
    if (reading.kind === "empty") collector.note(part, "has an empty script");
    else
      collector.json(
        part,
        "script",
        { reading, extra },
        { isLinked: script.type === "application/ld+json", quoted: script.quoted, key: script.key },
      );
    if (collector.limit !== undefined) return;
  }
  const microdata = findMicrodata(html, baseUrlOf(html, options.baseUrl), limits.htmlDepth);
  if (microdata.kind === "too-deep")
    return collector.reached("html-depth", `elements in part ${part.part} are nested deeper than ${limits.htmlDepth}`);
  for (const { types, value, quoted } of microdata.items)
    collector.add(part, "microdata", { format: "microdata", types, value, repaired: [], quoted });
  if (collector.count === before && scripts.length === 0) readVisible(part, html, collector, options);
}

function readVisible(part: MailPart, html: string, collector: Collector, { limits }: ExtractOptions): void {
  if (!/[{[]|&#(?:123|91|x7b|x5b);|&l(?:brace|cub|brack|sqb);/i.test(html))
    return collector.note(part, "is HTML without scripts, microdata or JSON in its text");
  const visible = visibleText(html, limits.htmlDepth);
  if (visible.kind === "too-deep")
    return collector.reached("html-depth", `elements in part ${part.part} are nested deeper than ${limits.htmlDepth}`);
  let found = false;
  for (const block of visible.blocks) {
    // The whole text holds what the blocks held; equal items are listed once anyway.
    if (found && block.element === "text") break;
    for (const { value, quoted } of findInProse(block.text, limits.jsonDepth)) {
      found = true;
      collector.json(
        part,
        block.element,
        { reading: { kind: "json", values: [value], repaired: [], duplicateKeys: [] }, extra: [] },
        { isLinked: false, quoted: quoted || block.quoted },
      );
    }
  }
  if (!found) collector.note(part, "is HTML without scripts, microdata or JSON in its text");
}

function readPlain(part: MailPart, collector: Collector, options: ExtractOptions): void {
  const { jsonDepth } = options.limits;
  let items = findInProse(part.text(), jsonDepth);
  const extra: Repair[] = [];
  if (options.repair) {
    const rejoined = part.rejoined();
    const again = rejoined === undefined ? [] : findInProse(rejoined.text, jsonDepth);
    if (rejoined !== undefined && again.length > items.length) {
      items = again;
      extra.push(rejoined.repair);
    }
  }
  if (items.length === 0) return collector.note(part, "is text without an object or array that stands alone");
  for (const { value, quoted } of items) {
    collector.json(
      part,
      "text",
      { reading: { kind: "json", values: [value], repaired: [], duplicateKeys: [] }, extra },
      { isLinked: false, quoted },
    );
  }
}

interface Found {
  readonly format: Item["format"];
  readonly types: readonly string[];
  readonly value: JsonText;
  readonly repaired: readonly Repair[];
  readonly quoted?: boolean;
  readonly key?: string | null;
  readonly unknownContext?: boolean;
  readonly duplicateKeys?: readonly string[];
}

/** Gathers items, each value once, and says when a limit is passed. */
class Collector {
  readonly #options: ExtractOptions;
  readonly #items: Item[] = [];
  readonly #skipped: Skipped[] = [];
  readonly #notes: string[] = [];
  readonly #seen = new Set<string>();
  limit: Extraction["limit"];

  constructor(options: ExtractOptions) {
    this.#options = options;
  }

  /** Items found so far, repeated ones included. */
  count = 0;

  note(part: MailPart, what: string): void {
    this.#notes.push(
      `part ${part.part} (${part.mediaType}${part.filename === null ? "" : `, ${part.filename}`}) ${what}`,
    );
  }

  reached(limit: NonNullable<Extraction["limit"]>["limit"], detail: string): void {
    this.limit ??= { limit, detail };
  }

  json(
    part: MailPart,
    element: ItemSource["element"],
    { reading, extra }: { reading: JsonReading; extra: readonly Repair[] },
    found: { isLinked: boolean; quoted?: boolean; key?: string | null },
  ): void {
    const { jsonDepth } = this.#options.limits;
    switch (reading.kind) {
      case "too-deep":
        return this.reached("json-depth", `JSON in part ${part.part} is nested deeper than ${jsonDepth}`);
      case "empty":
        return this.note(part, "is empty");
      case "invalid": {
        this.count += 1;
        const { line, column, reason } = reading;
        this.#skipped.push({ source: this.#source(part, element, found.quoted), reason, line, column });
        return this.note(part, `holds JSON that cannot be read: line ${line}, column ${column}: ${reason}`);
      }
      case "json":
        for (const value of reading.values) {
          const node = parseNode(value);
          const linked = found.isLinked || hasContext(node);
          const { types, unknownContext } = linked ? typesOf(node) : { types: [], unknownContext: false };
          const format = linked ? "json-ld" : "json";
          this.add(
            part,
            element,
            {
              ...found,
              format,
              types,
              value,
              repaired: [...extra, ...reading.repaired],
              unknownContext,
              duplicateKeys: reading.duplicateKeys,
            },
            node,
          );
        }
    }
  }

  add(part: MailPart, element: ItemSource["element"], found: Found, node: JsonNode = parseNode(found.value)): void {
    this.count += 1;
    const key = found.key ?? this.#options.hookKeyHeader;
    // Under another key the same value is another candidate.
    const canonical = `${key ?? ""} ${canonicalOf(node)}`;
    if (this.#seen.has(canonical)) return this.note(part, "repeats a value that was found before");
    if (this.#items.length >= this.#options.limits.items)
      return this.reached("items", `more than ${this.#options.limits.items} items`);
    this.#seen.add(canonical);
    this.#items.push({
      format: found.format,
      source: this.#source(part, element, found.quoted),
      types: found.types,
      repaired: found.repaired,
      value: found.value,
      ...(found.unknownContext === true && { context: "unknown" as const }),
      ...(found.duplicateKeys !== undefined &&
        found.duplicateKeys.length > 0 && { duplicateKeys: found.duplicateKeys }),
      ...(key !== undefined && { key }),
    });
  }

  extraction(): Extraction {
    return { items: this.#items, skipped: this.#skipped, notes: this.#notes, ...(this.limit && { limit: this.limit }) };
  }

  #source(part: MailPart, element: ItemSource["element"], quoted: boolean | undefined): ItemSource {
    const { mediaType, filename, forwarded } = part;
    return { part: part.part, mediaType, element, filename, forwarded, ...(quoted === true && { quoted: true }) };
  }
}

/** JSON that says it is JSON-LD although its label does not. */
function hasContext(node: JsonNode): boolean {
  return memberOf(node.kind === "array" ? node.items[0] : node, "@context") !== undefined;
}
