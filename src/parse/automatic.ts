import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";

/**
 * What makes a mail automatic: the Auto-Submitted keyword (RFC 3834 §5), or what older mailers say instead.
 *
 * `null` for a person's mail. Bounces are `auto-replied`, list and bulk mail `auto-generated`.
 */
export function autoSubmittedOf(fields: readonly RawField[]): string | null {
  const declared = fieldOf(fields, "auto-submitted")
    ?.split(";", 1)[0]
    ?.replace(/\(.*?\)/g, "")
    .trim()
    .toLowerCase();
  if (declared !== undefined && declared !== "") return declared === "no" ? null : declared;
  const contentType = fieldOf(fields, "content-type")?.toLowerCase() ?? "";
  if (contentType.startsWith("multipart/report")) return "auto-replied";
  if (["x-autoreply", "x-autorespond", "x-auto-response"].some((name) => fieldOf(fields, name) !== undefined))
    return "auto-replied";
  const precedence = fieldOf(fields, "precedence")?.trim().toLowerCase();
  if (precedence === "auto_reply") return "auto-replied";
  if (
    precedence === "bulk" ||
    precedence === "list" ||
    precedence === "junk" ||
    fieldOf(fields, "list-id") !== undefined
  )
    return "auto-generated";
  return null;
}
