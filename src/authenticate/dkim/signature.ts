import type { HeaderRow } from "../../model/mail-header.ts";
import type { Canonicalization, SignedFields } from "./canonical-header.ts";
import { canonicalField } from "./canonical-header.ts";
import type { TagList } from "./tag-list.ts";
import { parseTagList, solidTagOf, tagOf, withoutSignature } from "./tag-list.ts";

export type SignatureKind = "DKIM" | "ARC";

const ALGORITHMS = ["rsa-sha256", "ed25519-sha256", "rsa-sha1"] as const;

/** What a DKIM-Signature or an ARC-Message-Signature says of itself. */
export interface Signature {
  readonly kind: SignatureKind;
  readonly row: HeaderRow;
  readonly domain: string;
  readonly selector: string;
  /** As written. */
  readonly algorithm: string;
  readonly method: (typeof ALGORITHMS)[number];
  readonly header: Canonicalization;
  readonly body: Canonicalization;
  /** Another way to read a signature that does not say its canonicalization. */
  readonly otherwise: Canonicalization | undefined;
  /** Names of the fields that it signs, lower case. */
  readonly fields: readonly string[];
  /** Base64. */
  readonly bodyHash: string;
  readonly value: Buffer;
  /** `l=`: how many bytes of the body it covers; `undefined` for all. */
  readonly bodyLength: number | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** It cannot hold, whatever the key. */
  readonly isMalformed: boolean;
  /** Its own field as it was signed. */
  readonly signedField: (how: Canonicalization) => string;
}

const BODY_LENGTH = /^\d{1,76}$/;
const TIMESTAMP = /^\d{1,12}$/;

/** The tags of a signature's field, and the text before them. */
export function signatureTags(fields: SignedFields, row: HeaderRow): { readonly head: string; readonly tags: TagList } {
  const written = fields.written(row);
  const colon = written.indexOf(":");
  return { head: written.slice(0, colon + 1), tags: parseTagList(written.slice(colon + 1)) };
}

/**
 * Reads a signature; `undefined` when it is of a kind that nobody here can judge, which then counts as not there.
 *
 * A signature without From signs nothing that anybody asks about. Source: RFC 6376 §3.5, §6.1.1; RFC 8301; RFC 8617 §4.1.2.
 */
export function readSignature(fields: SignedFields, row: HeaderRow, kind: SignatureKind): Signature | undefined {
  const { head, tags } = signatureTags(fields, row);
  const algorithm = tagOf(tags, "a") ?? "";
  const method = ALGORITHMS.find((known) => known === algorithm.toLowerCase());
  if (method === undefined || (kind === "ARC" && method === "rsa-sha1")) return undefined;
  const written = (tagOf(tags, "c") ?? "").toLowerCase();
  const [header = "", body = ""] = written.split("/", 2).map((name) => name.trim());
  if (!isCanonicalization(header || "simple") || !isCanonicalization(body || "simple")) return undefined;
  const domain = tagOf(tags, "d") ?? "";
  const selector = tagOf(tags, "s") ?? "";
  if (domain === "" || selector === "") return undefined;
  const names = solidTagOf(tags, "h")?.toLowerCase().split(":") ?? [];
  const bodyLength = tagOf(tags, "l");
  const [signedAt, expiresAt] = [tagOf(tags, "t"), tagOf(tags, "x")];
  // "The value of the x= tag MUST be greater than the value of the t= tag if both are present."
  const isNeverValid = Number(expiresAt) < Number(signedAt);
  return {
    kind,
    row,
    domain,
    selector,
    algorithm,
    method,
    header: header === "relaxed" ? "relaxed" : "simple",
    body: body === "relaxed" ? "relaxed" : "simple",
    // Drafts of ARC had another default, and their sealers are still about.
    otherwise: kind === "ARC" && written === "" ? "relaxed" : undefined,
    fields: names,
    bodyHash: solidTagOf(tags, "bh") ?? "",
    value: Buffer.from(solidTagOf(tags, "b") ?? "", "base64"),
    bodyLength: bodyLength === undefined ? undefined : Number(bodyLength),
    expiresAt: expiresAt === undefined ? undefined : isNeverValid ? 0 : Number(expiresAt),
    isMalformed:
      !names.includes("from") ||
      (bodyLength !== undefined && !BODY_LENGTH.test(bodyLength)) ||
      (expiresAt !== undefined && !TIMESTAMP.test(expiresAt)),
    signedField: (how) => canonicalField(head + withoutSignature(tags), how),
  };
}

const isCanonicalization = (name: string): name is Canonicalization => name === "simple" || name === "relaxed";
