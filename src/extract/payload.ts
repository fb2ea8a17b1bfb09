import { timingSafeEqual } from "node:crypto";

import type { HookOptions } from "../model/hook-options.ts";
import type { Extraction, Item } from "../model/item.ts";
import type { JsonText } from "../model/mail.ts";
import type { SchemaProblem } from "./schema.ts";
import { checkSchema } from "./schema.ts";
import { selectItem } from "./select.ts";

/** What one hook takes from a mail. */
export type PayloadChoice =
  | { readonly kind: "payload"; readonly value: JsonText; readonly item: Item }
  | {
      readonly kind: "nothing";
      readonly code: "nothing-extracted" | "invalid-json" | "key-mismatch" | "limit-exceeded";
      readonly detail: string;
    }
  | { readonly kind: "schema-failed"; readonly detail: string; readonly problems: readonly SchemaProblem[] };

const MAX_NOTES = 20;

/**
 * Chooses the payload for one hook: only items under the right key, then `select` or the usual order, then the JSON-LD
 * form, then the schema. `keyValue` is the secret of the hook's `key` option, when it has one.
 */
export async function choosePayload(
  extraction: Extraction,
  options: Pick<HookOptions, "select" | "jsonld" | "schema">,
  keyValue?: string,
): Promise<PayloadChoice> {
  if (extraction.limit !== undefined)
    return { kind: "nothing", code: "limit-exceeded", detail: `${extraction.limit.limit}: ${extraction.limit.detail}` };
  const items =
    keyValue === undefined
      ? extraction.items
      : extraction.items.filter(({ key }) => key !== undefined && sameSecret(key, keyValue));
  if (items.length === 0 && extraction.items.length > 0)
    return { kind: "nothing", code: "key-mismatch", detail: "No item came under the hook's key" };
  const selected = selectItem(items, options.select);
  if (selected === undefined) return nothing(extraction, options);
  const { item } = selected;
  const value =
    options.jsonld === "as-sent" || item.format === "json"
      ? selected.value
      : await transformed(selected.value, options.jsonld);
  if (options.schema !== undefined) {
    const verdict = await checkSchema(options.schema, value);
    if (verdict.kind === "fails") {
      const detail = verdict.problems
        .map(({ pointer, message }) => `${pointer === "" ? "the payload" : pointer} ${message}`)
        .join("; ");
      return { kind: "schema-failed", detail, problems: verdict.problems };
    }
  }
  return { kind: "payload", value, item };
}

/** The value in another form of JSON-LD, or as sent where that cannot be had (an unknown context, say). */
async function transformed(value: JsonText, form: Exclude<HookOptions["jsonld"], "as-sent">): Promise<JsonText> {
  // Heavy, and few hooks ask for it: loaded on first use.
  const { transformJsonLd } = await import("./json-ld.ts");
  return (await transformJsonLd(value, form)) ?? value;
}

function nothing(extraction: Extraction, options: Pick<HookOptions, "select">): PayloadChoice {
  const lookedAt = extraction.notes.slice(0, MAX_NOTES).join("; ");
  if (extraction.items.length > 0) {
    const found = extraction.items.map(({ format, types }) => (types.length > 0 ? types.join(" ") : format)).join(", ");
    return {
      kind: "nothing",
      code: "nothing-extracted",
      detail: `select ${JSON.stringify(options.select)} matches nothing; found: ${found}`,
    };
  }
  if (extraction.skipped.length > 0) return { kind: "nothing", code: "invalid-json", detail: lookedAt };
  const manualForward = extraction.notes.some((note) => note.includes("forward"))
    ? " It looks forwarded by hand: Gmail strips markup then; forward with a filter instead."
    : "";
  return {
    kind: "nothing",
    code: "nothing-extracted",
    detail: `${lookedAt === "" ? "the mail has no parts" : lookedAt}.${manualForward}`,
  };
}

/** Constant time for secrets of one length; the length itself is no secret. */
function sameSecret(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}
