import type { ExtractLimits } from "../extract/limits.ts";
import { holdsHookKey, removeHookKeys } from "../extract/hook-keys.ts";
import { extractItems } from "../extract/items.ts";
import { choosePayload } from "../extract/payload.ts";
import type { PayloadChoice } from "../extract/payload.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { Extraction, LimitName } from "../model/item.ts";
import type { MailSummary } from "../model/mail.ts";
import type { MimeLimits } from "../parse/mail.ts";
import { parseMail } from "../parse/mail.ts";

/** What one hook wants from a mail; `keyValue` is the secret that its `key` option names, resolved. */
export interface HookWish {
  readonly options: Pick<HookOptions, "select" | "jsonld" | "schema">;
  readonly keyValue?: string;
  /** The hook's events carry no HTML, so that it need not be made. */
  readonly withoutHtml?: boolean;
}

export interface ReadLimits {
  readonly mime: MimeLimits;
  readonly extract: ExtractLimits;
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

const LIGHT_BYTES = 16 * 1024;

/**
 * Whether reading a mail on the main thread costs less than handing it to a worker and back: it is small and only read.
 * Even where several wait for their turn it does: copying a reading takes about as long as making it.
 */
export function isLightWork(bytes: Uint8Array, wishes: readonly HookWish[]): boolean {
  return (
    bytes.length <= LIGHT_BYTES &&
    wishes.every(({ options }) => options.schema === undefined && options.jsonld === "as-sent")
  );
}

/**
 * Parses a mail once and chooses a payload for each hook, in the order of `wishes`.
 *
 * Runs in a worker, and for small plain mails on the main thread. `bytes` may be shared memory.
 */
export async function readMail(
  bytes: Uint8Array,
  wishes: readonly HookWish[],
  limits: ReadLimits,
): Promise<MailReading> {
  const needsHtml = wishes.length === 0 || wishes.some(({ withoutHtml }) => withoutHtml !== true);
  const parsing = parseMail(bytes, limits.mime, needsHtml);
  if (parsing.kind === "limit") return parsing;
  const { parts, notes } = parsing;
  const hookKeyHeader = parsing.summary.headers.find(({ name }) => name.toLowerCase() === "x-hook-key")?.value.trim();
  const extraction = extractItems(parts, {
    repair: true,
    limits: limits.extract,
    ...(hookKeyHeader === undefined ? {} : { hookKeyHeader }),
  });
  const choices = await Promise.all(
    wishes.map(({ options, keyValue }) => choosePayload(extraction, options, keyValue)),
  );
  return { kind: "read", summary: withoutHookKeys(parsing.summary), extraction, choices, notes };
}

/** Keys never reach an event: neither as an attribute in a page, its source or an attachment, nor as a header field. */
function withoutHookKeys(summary: MailSummary): MailSummary {
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
