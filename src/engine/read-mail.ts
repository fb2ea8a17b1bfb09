import { holdsHookKey, removeHookKeys } from "../extract/hook-keys.ts";
import { extractItems } from "../extract/items.ts";
import type { PayloadChoice } from "../extract/payload.ts";
import { choosePayload } from "../extract/payload.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Extraction, LimitName } from "../model/item.ts";
import type { MailSummary } from "../model/mail.ts";
import type { MailParsing } from "../parse/mail.ts";
import { parseMail } from "../parse/mail.ts";
import type { ReadLimits } from "./budgets.ts";

/** What one hook wants from a mail; `keyValue` is the secret that its `key` option names, resolved. */
export interface HookWish {
  readonly options: Pick<HookOptions, "select" | "jsonld" | "schema">;
  readonly keyValue?: string;
}

/** What one mail holds, and what each hook takes from it. */
export type MailReading =
  | {
      readonly kind: "read";
      readonly summary: MailSummary;
      readonly extraction: Extraction;
      readonly choices: readonly PayloadChoice[];
      readonly notes: readonly string[];
    }
  | { readonly kind: "limit"; readonly limit: LimitName; readonly detail: string };

/** Everything that is data in a mail that was taken apart. */
export function extractFrom({ parts, summary }: MailParsing & { kind: "mail" }, limits: ReadLimits): Extraction {
  const hookKeyHeader = summary.headers.find(({ name }) => name.toLowerCase() === "x-hook-key")?.value.trim();
  return extractItems(parts, {
    repair: true,
    limits: limits.extract,
    ...(hookKeyHeader === undefined ? {} : { hookKeyHeader }),
  });
}

/** Parses a mail once and chooses a payload for each hook, in the order of `wishes`. */
export async function readMail(
  bytes: Uint8Array,
  wishes: readonly HookWish[],
  limits: ReadLimits,
): Promise<MailReading> {
  const parsing = parseMail(bytes, limits.mime);
  if (parsing.kind === "limit") return parsing;
  const extraction = extractFrom(parsing, limits);
  const choices: PayloadChoice[] = [];
  for (const { options, keyValue } of wishes) choices.push(await choosePayload(extraction, options, keyValue));
  return { kind: "read", summary: withoutHookKeys(parsing.summary), extraction, choices, notes: parsing.notes };
}

/** Keys never reach an event: neither as an attribute in a page, its source or an attachment, nor as a header field. */
export function withoutHookKeys(summary: MailSummary): MailSummary {
  return {
    ...summary,
    html: summary.html === null ? null : removeHookKeys(summary.html),
    text: summary.text === null ? null : removeHookKeys(summary.text),
    attachments: summary.attachments.map((attachment) =>
      holdsHookKey(attachment.bytes) ? { ...attachment, holdsKey: true } : attachment,
    ),
    headers: summary.headers.filter(({ name }) => name.toLowerCase() !== "x-hook-key"),
  };
}
