import { matchesGlob } from "../lib/glob.ts";
import type { HookOptions } from "../model/hook-options.ts";
import type { MailSummary } from "../model/mail.ts";
import type { Authentication } from "../model/verdicts.ts";
import { commentEnd } from "../parse/parameters.ts";

/** Who wrote a mail, where a policy depends on it: exactly one address, or why nobody can say. */
export type Author =
  | { readonly kind: "one"; readonly address: string; readonly domain: string }
  | { readonly kind: "unclear"; readonly why: string };

/**
 * The one author of a mail. With two From fields, two addresses or a group each reader would believe another one, so a
 * policy can hold for none of them (RFC 7489 §6.6.1; RFC 6854 §1 warns of groups).
 */
export function authorOf(summary: MailSummary): Author {
  const fields = summary.headers.filter(({ name }) => name.toLowerCase() === "from");
  const [from, ...others] = summary.from;
  if (fields.length > 1) return { kind: "unclear", why: "the mail has several From fields" };
  if (from === undefined) return { kind: "unclear", why: "From is missing" };
  if (others.length > 0)
    return { kind: "unclear", why: `From is ${summary.from.map(({ address }) => address).join(", ")}` };
  if (isGroup(fields[0]?.value ?? "")) return { kind: "unclear", why: "From is a group" };
  const { address } = from;
  return { kind: "one", address, domain: address.slice(address.lastIndexOf("@") + 1).toLowerCase() };
}

const CLOSES: Readonly<Record<string, string>> = { '"': '"', "<": ">" };

/**
 * `Team: joe@example.org;` (RFC 5322 §3.4): a colon, and a semicolon behind it. In quotes, angles, comments or an encoded
 * name they mean nothing. Linear.
 */
function isGroup(value: string): boolean {
  let closes: string | undefined;
  let hasColon = false;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at] ?? "";
    if (closes !== undefined) {
      if (character === "\\" && closes === '"') at += 1;
      else if (character === closes) closes = undefined;
    } else if (character === "(") at = commentEnd(value, at + 1) - 1;
    else if (character === ";" && hasColon) return true;
    else if (character === ":") hasColon = true;
    else closes = CLOSES[character];
  }
  return false;
}

/** Why a hook's `senders` does not let the mail in; `undefined` when it does. */
export function whyNotAllowed(author: Author, senders: readonly string[] | undefined): string | undefined {
  if (senders === undefined) return undefined;
  if (author.kind === "unclear") return `${author.why}; allowed are ${senders.join(", ")}`;
  if (senders.some((glob) => matchesGlob(author.address, glob))) return undefined;
  return `From is ${author.address}; allowed are ${senders.join(", ")}`;
}

export type Demand =
  | { readonly kind: "met" }
  | { readonly kind: "unknown" }
  | { readonly kind: "not-met"; readonly detail: string };

/** Whether the mail proves its author as a hook's `authenticate` demands. */
export function demandOf(
  author: Author,
  authentication: Authentication,
  { require }: HookOptions["authenticate"],
): Demand {
  if (require === "none") return { kind: "met" };
  if (author.kind === "unclear") return { kind: "not-met", detail: author.why };
  const { verdicts, proofs, authorDomain } = authentication;
  const proof = proofs[require];
  if (proof === "unknown") return { kind: "unknown" };
  // Two parsers read From; where they disagree, the verdict is about somebody else.
  if (proof === "met" && authorDomain !== author.domain)
    return { kind: "not-met", detail: `From reads as ${author.domain} and as ${authorDomain ?? "nobody"}` };
  if (proof === "met") return { kind: "met" };
  const found = (["spf", "dkim", "dmarc", "arc"] as const).map(
    (name) => `${name}=${verdicts[name].result}${verdicts[name].domain === null ? "" : ` (${verdicts[name].domain})`}`,
  );
  return { kind: "not-met", detail: `${require} is demanded for ${author.domain}; found ${found.join(", ")}` };
}
