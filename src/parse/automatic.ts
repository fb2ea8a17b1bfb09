import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";
import { withoutComments } from "./parameters.ts";

const REPLIES = ["x-autoreply", "x-autorespond", "x-auto-response", "x-failed-recipients"] as const;
const NOISE = new Set(["bulk", "list", "junk"]);

/**
 * What makes a mail automatic: the Auto-Submitted keyword (RFC 3834 §5), or what older mailers say instead.
 *
 * `null` for a person's mail. Bounces are `auto-replied`, list and bulk mail `auto-generated`.
 */
export function autoSubmittedOf(fields: readonly RawField[]): string | null {
  const declared = withoutComments(fieldOf(fields, "auto-submitted") ?? "")
    .split(";", 1)[0]
    ?.trim()
    .toLowerCase();
  if (declared !== undefined && declared !== "") return declared === "no" ? null : declared;
  const contentType = fieldOf(fields, "content-type")?.toLowerCase() ?? "";
  if (contentType.startsWith("multipart/report")) return "auto-replied";
  if (REPLIES.some((name) => isSaid(fieldOf(fields, name)))) return "auto-replied";
  const precedence = fieldOf(fields, "precedence")?.trim().toLowerCase() ?? "";
  if (/^auto[_-]reply$/.test(precedence)) return "auto-replied";
  const isNoise =
    NOISE.has(precedence) ||
    fieldOf(fields, "list-id") !== undefined ||
    // [MS-OXCMAIL] §2.1.3.2.20: programs say so that nobody answers them automatically.
    isSaid(fieldOf(fields, "x-auto-response-suppress"));
  return isNoise ? "auto-generated" : null;
}

function isSaid(value: string | undefined): boolean {
  return value !== undefined && !/^(?:|no|none|false|0)$/i.test(value.trim());
}
