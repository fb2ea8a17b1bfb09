import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";
import { withoutComments } from "./parameters.ts";

const REPLIES = ["X-Autoreply", "X-Autorespond", "X-Auto-Response", "X-Failed-Recipients"] as const;
const NOISE = new Set(["bulk", "list", "junk"]);

/** What makes a mail automatic, and the field that says so, as a person would name it. */
export interface AutomaticMark {
  /** `auto-generated`, `auto-replied`, `auto-notified` or another keyword of Auto-Submitted. */
  readonly value: string;
  /** `Auto-Submitted is auto-replied`, `Precedence is bulk`. */
  readonly because: string;
}

/**
 * What makes a mail automatic: the Auto-Submitted keyword (RFC 3834 §5), or what older mailers say instead. Bounces are
 * `auto-replied`, list and bulk mail `auto-generated`; `null` for a person's mail.
 *
 * X-Auto-Response-Suppress says nothing of the mail: it asks that nobody answers automatically ([MS-OXCMAIL]
 * §2.1.3.2.20), and people's mailers write it, too.
 */
export function automaticMarkOf(fields: readonly RawField[]): AutomaticMark | null {
  const declared = keywordOf(fields);
  if (declared === "no") return null;
  if (declared !== "") return { value: declared, because: `Auto-Submitted is ${declared}` };
  const contentType = fieldOf(fields, "content-type")?.toLowerCase() ?? "";
  if (contentType.startsWith("multipart/report"))
    return { value: "auto-replied", because: "Content-Type is multipart/report" };
  const reply = REPLIES.find((name) => isSaid(fieldOf(fields, name.toLowerCase())));
  if (reply !== undefined) return { value: "auto-replied", because: `${reply} is set` };
  const precedence = fieldOf(fields, "precedence")?.trim().toLowerCase() ?? "";
  if (/^auto[_-]reply$/.test(precedence)) return { value: "auto-replied", because: `Precedence is ${precedence}` };
  if (NOISE.has(precedence)) return { value: "auto-generated", because: `Precedence is ${precedence}` };
  return fieldOf(fields, "list-id") === undefined ? null : { value: "auto-generated", because: "List-Id is set" };
}

const MAX_KEYWORD_LENGTH = 60;

function keywordOf(fields: readonly RawField[]): string {
  const [keyword = ""] = withoutComments(fieldOf(fields, "auto-submitted") ?? "").split(";", 1);
  return keyword.trim().toLowerCase().slice(0, MAX_KEYWORD_LENGTH);
}

function isSaid(value: string | undefined): boolean {
  return value !== undefined && !/^(?:|no|none|false|0)$/i.test(value.trim());
}
