import { loadLate } from "../lib/load-late.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Extraction, Item } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import { itemsUnderKey } from "./hook-key.ts";
import type { SchemaProblem } from "./schema.ts";
import { checkSchema } from "./schema.ts";
import { selectItem } from "./select.ts";

/** What one hook takes from a mail. */
export type PayloadChoice =
  | {
      readonly kind: "payload";
      readonly value: JsonText;
      readonly item: Item;
      /** The items that count for this hook: all of them, or those under its key. */
      readonly items: readonly Item[];
    }
  | {
      readonly kind: "nothing";
      readonly code: "nothing-extracted" | "invalid-json" | "key-mismatch" | "limit-exceeded";
      readonly detail: string;
      /** In place of the code's own title. */
      readonly title?: string;
      /** The items that count for this hook, none of which was chosen. */
      readonly items: readonly Item[];
    }
  | { readonly kind: "schema-failed"; readonly detail: string; readonly problems: readonly SchemaProblem[] }
  /** The schema itself is wrong. */
  | { readonly kind: "schema-unusable"; readonly detail: string };

const MAX_NOTES = 20;
const NOT_SELECTED = "Nothing that was found matches the hook's select";

type Payload = PayloadChoice & { readonly kind: "payload" };

/**
 * Chooses the payload for one hook: only items under the right key, then `select` or the usual order, then the JSON-LD
 * form, then the schema. `keyValue` is the secret of the hook's `key` option, when it has one. Never throws for what a
 * sender sent, nor for a schema that cannot be used.
 */
export async function choosePayload(
  extraction: Extraction,
  options: Pick<HookOptions, "select" | "jsonld" | "schema">,
  keyValue?: string,
): Promise<PayloadChoice> {
  const selected = selectPayload(extraction, options, keyValue);
  if (selected.kind === "nothing") return selected;
  const { item } = selected;
  const value =
    options.jsonld === "as-sent" || item.format === "json"
      ? selected.value
      : await transformed(selected.value, options.jsonld, item.baseUrl);
  if (options.schema !== undefined) {
    const verdict = await checkSchema(options.schema, value);
    if (verdict.kind === "unusable")
      return { kind: "schema-unusable", detail: `the hook's schema cannot be used: ${verdict.why}` };
    if (verdict.kind === "fails") {
      const detail = verdict.problems
        .map(({ pointer, message }) => `${pointer === "" ? "the payload" : pointer} ${message}`)
        .join("; ");
      return { kind: "schema-failed", detail, problems: verdict.problems };
    }
  }
  return { ...selected, value };
}

/** The payload as it was sent, before its JSON-LD form and its schema are looked at. */
export function selectPayload(
  extraction: Extraction,
  options: Pick<HookOptions, "select">,
  keyValue?: string,
): Payload | Nothing {
  if (extraction.limit !== undefined)
    return nothingBut("limit-exceeded", `${extraction.limit.limit}: ${extraction.limit.detail}`);
  const items = keyValue === undefined ? extraction.items : itemsUnderKey(extraction.items, keyValue);
  if (items.length === 0 && extraction.items.length > 0)
    return nothingBut("key-mismatch", keyMismatch(extraction.items));
  const selected = selectItem(items, options.select);
  if (selected === undefined) return nothing(extraction, items, options);
  return { kind: "payload", value: selected.value, item: selected.item, items };
}

/** The value in another form of JSON-LD, or as sent where that cannot be had (an unknown context, say). */
async function transformed(
  value: JsonText,
  form: Exclude<HookOptions["jsonld"], "as-sent">,
  baseUrl: string | undefined,
): Promise<JsonText> {
  // Heavy, and few hooks ask for it: loaded on first use.
  const { transformJsonLd } = await loadLate(() => import("./json-ld.ts"));
  return (await transformJsonLd(value, form, baseUrl === undefined ? {} : { baseUrl })) ?? value;
}

function nothing(extraction: Extraction, items: readonly Item[], options: Pick<HookOptions, "select">): Nothing {
  if (items.length > 0) {
    const found = items.slice(0, MAX_NOTES).map(({ format, types }) => (types.length > 0 ? types.join(" ") : format));
    const detail = `select ${JSON.stringify(options.select)} fits no item; found: ${found.join(", ")}`;
    return { ...nothingBut("nothing-extracted", detail, items), title: NOT_SELECTED };
  }
  const detail = whatWasLookedAt(extraction);
  // In prose, what only looked like JSON is no broken promise of the sender's.
  const failed = extraction.skipped.some(({ source: { element } }) => element === null || element === "script");
  return nothingBut(failed ? "invalid-json" : "nothing-extracted", detail);
}

type Nothing = PayloadChoice & { readonly kind: "nothing" };

function nothingBut(code: Nothing["code"], detail: string, items: readonly Item[] = []): Nothing {
  return { kind: "nothing", code, detail, items };
}

function whatWasLookedAt({ notes, skipped, cause }: Extraction): string {
  const more = notes.length > MAX_NOTES ? `; and ${notes.length - MAX_NOTES} more` : "";
  const lookedAt = notes.length === 0 ? "the mail has no parts" : notes.slice(0, MAX_NOTES).join("; ") + more;
  return cause === undefined || skipped.length > 0 ? lookedAt : `${lookedAt}. ${cause}`;
}

function keyMismatch(items: readonly Item[]): string {
  const withKey = items.filter(({ key }) => key !== undefined).length;
  return withKey === 0
    ? `The mail carries no key: neither a script with data-kustomer-key nor an X-Hook-Key header (${items.length} items found)`
    : `The mail carries a key that is not the hook's (${withKey} of ${items.length} items came under one)`;
}
