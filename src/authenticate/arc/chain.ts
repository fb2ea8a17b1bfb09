import type { HeaderRow } from "../../model/mail-header.ts";
import { withoutComments } from "../authentication-results.ts";
import type { SignedFields } from "../dkim/canonical-header.ts";
import { signatureTags } from "../dkim/signature.ts";
import type { TagList } from "../dkim/tag-list.ts";
import { solidTagOf, tagOf } from "../dkim/tag-list.ts";

/** What one mediator added: its findings, its signature of the mail, and its seal over both and over all before. */
export interface ArcSet {
  readonly results: HeaderRow;
  readonly signature: HeaderRow;
  readonly seal: HeaderRow;
  readonly sealTags: TagList;
  /** The seal's name and colon. */
  readonly sealHead: string;
}

const FIELD_NAMES = ["arc-authentication-results", "arc-message-signature", "arc-seal"] as const;
type FieldName = (typeof FIELD_NAMES)[number];

/** RFC 8617 §4.2.1. */
const MAX_SETS = 50;
const SEAL_TAGS = ["a", "b", "d", "s"];
const ALGORITHM = /^(?:rsa|ed25519)-sha256$/i;

/** `rows` that belong to ARC. */
export function arcRows(rows: readonly HeaderRow[]): HeaderRow[] {
  return rows.filter(({ name }) => (FIELD_NAMES as readonly string[]).includes(name));
}

/**
 * Sorts the ARC fields of a mail into sets, the oldest first; `undefined` when they make no chain that could hold.
 *
 * Source: RFC 8617 §5.2, steps 1 to 3.
 */
export function chainOf(rows: readonly HeaderRow[], fields: SignedFields): readonly ArcSet[] | undefined {
  const found = new Map<string, { readonly row: HeaderRow; readonly tags: TagList; readonly head: string }>();
  if (rows.length % 3 !== 0 || rows.length > 3 * MAX_SETS) return undefined;
  for (const row of rows) {
    const { head, tags } = signatureTags(fields, row);
    const isResults = row.name === FIELD_NAMES[0];
    const written = isResults ? instanceAtStart(tags.text) : tagOf(tags, "i");
    if (written === undefined || !/^\d{1,2}$/.test(written)) return undefined;
    const key = keyOf(row.name as FieldName, Number(written));
    if (found.has(key)) return undefined;
    found.set(key, { row, tags, head });
  }
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= rows.length / 3; instance += 1) {
    const [results, signature, seal] = FIELD_NAMES.map((name) => found.get(keyOf(name, instance)));
    if (results === undefined || signature === undefined || seal === undefined) return undefined;
    if (!isSealSound(seal.tags, instance) || !isSignatureSound(signature.tags)) return undefined;
    sets.push({
      results: results.row,
      signature: signature.row,
      seal: seal.row,
      sealTags: seal.tags,
      sealHead: seal.head,
    });
  }
  return sets;
}

const keyOf = (name: FieldName, instance: number) => `${instance} ${name}`;

/** The first seal says that there was no chain before, each later one that the chain held. */
function isSealSound(tags: TagList, instance: number): boolean {
  const before = tagOf(tags, "cv")?.toLowerCase();
  if (before !== (instance === 1 ? "none" : "pass")) return false;
  // What a seal covers is not its own choice (RFC 8617 §4.1.3).
  return SEAL_TAGS.every((name) => tags.places.has(name)) && !tags.places.has("h") && hasKnownAlgorithm(tags);
}

function isSignatureSound(tags: TagList): boolean {
  const signed = solidTagOf(tags, "h")?.toLowerCase().split(":") ?? [];
  return !signed.includes("arc-seal") && hasKnownAlgorithm(tags);
}

const hasKnownAlgorithm = (tags: TagList) => ALGORITHM.test(tagOf(tags, "a") ?? "");

/** `i=1` before the first semicolon; comments may stand around it (RFC 8617 §4.1.1). */
function instanceAtStart(text: string): string | undefined {
  const bare = withoutComments(text);
  const end = bare.indexOf(";");
  const start = bare.slice(0, end < 0 ? bare.length : end).trim();
  return /^i[ \t\r\n]*=[ \t\r\n]*(\d{1,2})$/i.exec(start)?.[1];
}
