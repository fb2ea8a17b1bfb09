import { extractItems } from "./extract/items.ts";
import type { ExtractLimits } from "./extract/limits.ts";
import { choosePayload } from "./extract/payload.ts";
import type { PayloadChoice } from "./extract/payload.ts";
import type { DeadLetterCode } from "./model/dead-letter.ts";
import { titleOf } from "./model/dead-letter.ts";
import type { JsonLdForm, JsonSchema, Selection } from "./model/hook-options.ts";
import type { Extraction, Item, ItemSource, Skipped } from "./model/item.ts";
import type { MailSummary } from "./model/mail.ts";
import type { MailPart } from "./model/mail-part.ts";
import type { LooseKind } from "./parse/loose-input.ts";
import { kindOfInput, loosePart } from "./parse/loose-input.ts";
import type { MimeLimits } from "./parse/mail.ts";
import { parseMail } from "./parse/mail.ts";

export type { ItemFormat, ItemSource, Repair, Skipped } from "./model/item.ts";
export type { JsonLdForm, JsonSchema, Selection } from "./model/hook-options.ts";

/** How to look; every option may be left out. */
export interface ExtractCallOptions {
  /** What the input is. Without it the input is looked at: mail, HTML, JSON or text. */
  readonly as?: LooseKind;
  /** The address of the page, for relative ones in it. */
  readonly baseUrl?: string;
  /** Turns the repairs of damaged JSON off. */
  readonly strict?: boolean;
  /** Which item becomes the payload; without it the first of JSON part, JSON-LD script, JSON script, microdata, text. */
  readonly select?: Selection;
  /** The form of a JSON-LD payload, `"as-sent"` without it. */
  readonly jsonld?: JsonLdForm;
  /** JSON Schema (2020-12) that the payload must meet. */
  readonly schema?: JsonSchema;
  /** Only items under this key count: `data-kustomer-key` of a script, or the mail's `X-Hook-Key`. */
  readonly key?: string;
}

/** One JSON text that was found. */
export interface ExtractedItem extends Omit<Item, "value" | "key" | "repeated" | "baseUrl"> {
  /** The sender's own JSON text: digits, key order and duplicate names as sent. */
  readonly json: string;
  /** The same as a JavaScript value, read when asked for. Long numbers are rounded to doubles here and nowhere else. */
  readonly value: unknown;
  /** Further places where an equal value stood. */
  readonly alsoIn: readonly ItemSource[];
}

/** One leaf of a mail, or the input itself as part "0". */
export interface ExtractedPart {
  readonly part: string;
  readonly mediaType: string;
  readonly filename: string | null;
  /** Bytes, transfer encoding undone. */
  readonly size: number;
  readonly forwarded: boolean;
  /** Nobody here can read it (S/MIME, PGP). */
  readonly encrypted: boolean;
}

/** What a mail, page, JSON or text holds. */
export interface ExtractResult {
  readonly kind: LooseKind;
  readonly items: readonly ExtractedItem[];
  /** What would be published; `null` when there is nothing to publish, and then `deadLetter` says why. */
  readonly payload: { readonly json: string; readonly value: unknown; readonly item: ExtractedItem } | null;
  readonly deadLetter: { readonly code: DeadLetterCode; readonly title: string; readonly detail: string } | null;
  /** What was looked through, in order. */
  readonly parts: readonly ExtractedPart[];
  /** What looked like an item and is none. */
  readonly skipped: readonly Skipped[];
  /** What was looked at and what came of it, in order, for people. */
  readonly notes: readonly string[];
  /** Subject, From and Message-ID of a mail; `null` for anything else. */
  readonly mail: {
    readonly subject: string | null;
    readonly from: string | null;
    readonly messageId: string | null;
  } | null;
}

const MIME_LIMITS: MimeLimits = {
  parts: 1_000,
  mimeDepth: 50,
  headerBytes: 256 * 1024,
  rfc822Depth: 8,
  textBytes: 64 * 1024,
};
const EXTRACT_LIMITS: ExtractLimits = { jsonDepth: 512, items: 1_000, htmlDepth: 512, htmlNodes: 250_000 };

/**
 * Finds the JSON, JSON-LD and microdata in a mail, a page, a JSON file or a text, as the daemon would.
 *
 * Needs no daemon, no network and no disk, and never throws for what the input holds: what cannot be read is in `skipped`,
 * and a mail without data is a `deadLetter` with its reason.
 *
 * @example
 * import { extract } from "posthorn/extract";
 * const { items, payload } = await extract(await readFile("order.eml"));
 * console.log(payload?.json); // '{"@type":"Order","total":1.10}'
 */
export async function extract(input: Uint8Array | string, options: ExtractCallOptions = {}): Promise<ExtractResult> {
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  const kind = options.as ?? kindOfInput(bytes);
  const read = kind === "mail" ? readMail(bytes, options) : readLoose(bytes, kind, options);
  const { select, jsonld = "as-sent", schema, key } = options;
  const wish = { jsonld, ...(select !== undefined && { select }), ...(schema !== undefined && { schema }) };
  const choice = await choosePayload(read.extraction, wish, key);
  const items = read.extraction.items.map(publicItem);
  return {
    kind,
    items,
    payload: choice.kind === "payload" ? publicPayload(choice) : null,
    deadLetter: deadLetterOf(choice),
    parts: read.parts.map(publicPart),
    skipped: read.extraction.skipped,
    notes: [...read.notes, ...read.extraction.notes],
    mail: read.mail,
  };
}

interface Read {
  readonly parts: readonly MailPart[];
  readonly extraction: Extraction;
  readonly notes: readonly string[];
  readonly mail: ExtractResult["mail"];
}

function readMail(bytes: Uint8Array, options: ExtractCallOptions): Read {
  const parsing = parseMail(bytes, MIME_LIMITS);
  if (parsing.kind === "limit") {
    const { limit, detail } = parsing;
    return {
      parts: [],
      extraction: { items: [], skipped: [], notes: [], limit: { limit, detail } },
      notes: [],
      mail: null,
    };
  }
  const { parts, summary, notes } = parsing;
  const hookKeyHeader = summary.headers.find(({ name }) => name.toLowerCase() === "x-hook-key")?.value.trim();
  const extraction = extractItems(parts, {
    ...extractOptions(options),
    ...(hookKeyHeader !== undefined && { hookKeyHeader }),
  });
  return { parts, extraction, notes, mail: headOf(summary) };
}

function readLoose(bytes: Uint8Array, kind: Exclude<LooseKind, "mail">, options: ExtractCallOptions): Read {
  const parts = [loosePart(bytes, kind)];
  return { parts, extraction: extractItems(parts, extractOptions(options)), notes: [], mail: null };
}

function extractOptions({ strict, baseUrl }: ExtractCallOptions) {
  return { repair: strict !== true, limits: EXTRACT_LIMITS, ...(baseUrl !== undefined && { baseUrl }) };
}

function headOf({ mailSubject, from, messageId }: MailSummary): ExtractResult["mail"] {
  return { subject: mailSubject, from: from[0]?.address ?? null, messageId };
}

function deadLetterOf(choice: PayloadChoice): ExtractResult["deadLetter"] {
  if (choice.kind === "payload") return null;
  if (choice.kind !== "nothing")
    return { code: "schema-failed", title: titleOf({ code: "schema-failed" }), detail: choice.detail };
  return { code: choice.code, title: titleOf(choice), detail: choice.detail };
}

function publicPart({ part, mediaType, filename, bytes, forwarded, encrypted }: MailPart): ExtractedPart {
  return { part, mediaType, filename, size: bytes.byteLength, forwarded, encrypted };
}

/** An item without what is nobody's business outside: the key it came under. */
function publicItem({ value, key: _key, baseUrl: _baseUrl, repeated = [], ...item }: Item): ExtractedItem {
  return {
    ...item,
    alsoIn: repeated.map(({ source }) => source),
    json: value,
    get value(): unknown {
      return JSON.parse(value);
    },
  };
}

function publicPayload({ value, item }: PayloadChoice & { kind: "payload" }): NonNullable<ExtractResult["payload"]> {
  return {
    json: value,
    get value(): unknown {
      return JSON.parse(value);
    },
    item: publicItem(item),
  };
}
