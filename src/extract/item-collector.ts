import type { Extraction, Item, ItemPlace, ItemSource, Repair, Skipped } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import type { JsonNode } from "./json-node.ts";
import { memberOf, parseNode } from "./json-node.ts";
import type { JsonReading } from "./json-text.ts";
import type { ExtractLimits } from "./limits.ts";
import { placeInWords } from "../model/place-in-words.ts";
import { ValueIndex } from "./same-value.ts";
import { typesOf } from "./types.ts";
import { mayNestContexts } from "./unknown-context.ts";
import { valueNode } from "./value-node.ts";

/** Where a candidate stood, and what its place says of it. */
export interface Place {
  readonly source: ItemSource;
  /** Its label says JSON-LD, as `application/ld+json` does. */
  readonly isLinked?: boolean;
  /** Its label says plain JSON and is believed, as in scripts: a context in it makes no JSON-LD of it. */
  readonly isPlain?: boolean;
  /** The address against which relative IRIs in it are read. */
  readonly baseUrl?: string;
  /** `data-kustomer-key` of its script. */
  readonly key?: string | null;
}

type Found = Omit<Item, "source" | "key" | "repeated">;

/** An item, and the further places where its value stood. */
interface Gathered {
  readonly item: Item;
  /** By part, element and key: what stands there a thousand times is one place. */
  readonly repeated: Map<string, ItemPlace>;
}

/** More would only be counted: a mail of a million brackets must not become a million sentences. */
const MAX_NOTES = 1_000;

/** Gathers items, each value once, in the order they come, and says when a limit is passed. */
export class ItemCollector {
  readonly #limits: ExtractLimits;
  readonly #headerKey: string | undefined;
  readonly #gathered: Gathered[] = [];
  readonly #values = new ValueIndex<Gathered>();
  readonly #skipped: Skipped[] = [];
  readonly #notes: string[] = [];
  #untold = 0;
  /** How many items were found, repeated ones included. */
  found = 0;
  limit: Extraction["limit"];
  /** A known cause for finding nothing; said only when nothing was found. */
  cause: string | undefined;

  /** `headerKey` is the mail's `X-Hook-Key`: it holds for every item, beside the key of its script. */
  constructor(limits: ExtractLimits, headerKey: string | undefined) {
    this.#limits = limits;
    this.#headerKey = headerKey;
  }

  /** Says what was looked at, for `extract --explain` and dead letters. */
  note(text: string): void {
    if (this.#notes.length < MAX_NOTES) this.#notes.push(text);
    else this.#untold += 1;
  }

  reached(limit: NonNullable<Extraction["limit"]>["limit"], detail: string): void {
    this.limit ??= { limit, detail };
  }

  skip(skipped: Skipped): void {
    // A mail that is damaged a thousand times is not read to its end: the event would be a list of failures.
    if (this.#skipped.length >= this.#limits.items)
      return this.reached("items", `more than ${this.#limits.items} places that cannot be read as JSON`);
    this.#skipped.push(skipped);
    const { source, reason, line, column } = skipped;
    const where = line === undefined ? "" : `line ${line}, column ${column}: `;
    this.note(`${placeInWords(source)} cannot be read as JSON: ${where}${reason}`);
  }

  /** Takes what a JSON text turned out to be; `extra` names what was mended before it was read. */
  json(place: Place, reading: JsonReading, extra: readonly Repair[] = []): void {
    switch (reading.kind) {
      case "too-deep":
        return this.reached(
          "json-depth",
          `JSON in ${placeInWords(place.source)} is nested deeper than ${this.#limits.jsonDepth}`,
        );
      case "empty":
        return this.note(`${placeInWords(place.source)} is empty`);
      case "invalid": {
        const { line, column, reason } = reading;
        return this.skip({ source: place.source, reason, line, column });
      }
      case "json":
        for (const value of reading.values) {
          const repaired = [...extra, ...reading.repaired];
          const about = described(value, place, reading.parsed);
          this.add(place, { ...about, repaired, ...duplicatesOf(reading) });
        }
        return undefined;
    }
  }

  add(place: Place, found: Found): void {
    if (this.limit !== undefined) return;
    this.found += 1;
    const key = place.key ?? this.#headerKey;
    const { source, baseUrl } = place;
    const item: Item = {
      ...found,
      source,
      ...(key !== undefined && { key }),
      ...(baseUrl !== undefined && { baseUrl }),
    };
    const own: Gathered = { item, repeated: new Map() };
    const known = this.#values.findOrAdd(item.value, own);
    if (known === undefined) {
      if (this.#gathered.length >= this.#limits.items)
        return this.reached("items", `more than ${this.#limits.items} items`);
      this.#gathered.push(own);
      this.note(`${placeInWords(item.source)} holds ${inWords(item)}`);
    } else {
      addPlace(known, item, key);
      this.note(`${placeInWords(item.source)} repeats the value of ${placeInWords(known.item.source)}`);
    }
    // A script's own key does not take away what the header says of the whole mail.
    if (this.#headerKey !== undefined && key !== this.#headerKey) addPlace(known ?? own, item, this.#headerKey);
  }

  extraction(): Extraction {
    const items = this.#gathered.map(({ item, repeated }) =>
      repeated.size === 0 ? item : { ...item, repeated: [...repeated.values()] },
    );
    const notes = this.#untold === 0 ? this.#notes : [...this.#notes, `and ${this.#untold} more candidates`];
    return {
      items,
      skipped: this.#skipped,
      notes,
      ...(this.limit && { limit: this.limit }),
      ...(this.cause !== undefined && items.length === 0 && { cause: this.cause }),
    };
  }
}

function addPlace({ repeated }: Gathered, { format, source }: Item, key: string | undefined): void {
  const name = JSON.stringify([source.part, source.element, key]);
  if (!repeated.has(name)) repeated.set(name, { format, source, ...(key !== undefined && { key }) });
}

function duplicatesOf({ duplicateKeys }: JsonReading & { kind: "json" }): Pick<Item, "duplicateKeys"> {
  return duplicateKeys.length === 0 ? {} : { duplicateKeys };
}

/** JSON that is labelled JSON-LD, or says so itself by a context, has types. */
function described(
  value: JsonText,
  { isLinked = false, isPlain = false }: Place,
  parsed: unknown,
): Pick<Item, "format" | "types" | "value" | "context"> {
  // Looking for the word first spares plain JSON the tree; a context whose name is escaped is nobody's honest mail.
  if (isPlain) return { format: "json", types: [], value };
  if (!isLinked && !value.includes('"@context"')) return { format: "json", types: [], value };
  const node = parsed === undefined ? parseNode(value) : valueNode(parsed);
  if (!isLinked && !hasContext(node)) return { format: "json", types: [], value };
  const { types, unknownContext } = typesOf(node, mayNestContexts(value));
  return { format: "json-ld", types, value, ...(unknownContext && { context: "unknown" }) };
}

function hasContext(node: JsonNode): boolean {
  return memberOf(node.kind === "array" ? node.items[0] : node, "@context") !== undefined;
}

function inWords({ format, types, repaired, context }: Item): string {
  const named = types.length === 0 ? "" : ` of type ${types.join(", ")}`;
  const mended = repaired.length === 0 ? "" : `, mended: ${repaired.join(", ")}`;
  return `${format}${named}${mended}${context === undefined ? "" : ", its context is unknown here"}`;
}
