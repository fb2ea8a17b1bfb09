/** What a request body says it is. */
export type BodyKind = "json" | "ndjson" | "urlencoded" | "multipart" | "xml" | "text" | "other";

/** A `Content-Type` as far as it matters here: lower-case media type, and its charset. */
export interface BodyType {
  readonly mediaType: string;
  readonly charset: string;
}

const ESSENCE = /^[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)[\t ]*(?:;|$)/;
const CHARSET = /;[\t ]*charset[\t ]*=[\t ]*(?:"([^"]{1,80})"|"?([^";,\s]{1,80}))/i;

/** Reads a `Content-Type` header; an unreadable one is like none, "" (RFC 9110 §8.3). */
export function parseBodyType(contentType: string): BodyType {
  const mediaType = ESSENCE.exec(contentType)?.[1]?.toLowerCase() ?? "";
  const [, quoted, token] = CHARSET.exec(contentType) ?? [];
  return { mediaType, charset: (quoted ?? token ?? "").trim().toLowerCase() };
}

const KINDS: Readonly<Record<string, BodyKind>> = {
  "application/json": "json",
  "text/json": "json",
  "application/x-json": "json",
  "text/x-json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "application/x-jsonlines": "ndjson",
  "application/jsonlines": "ndjson",
  "application/x-www-form-urlencoded": "urlencoded",
  "multipart/form-data": "multipart",
  "application/xml": "xml",
  "text/xml": "xml",
  "text/plain": "text",
};

/** The kind of a media type (contract §3, "Bodies accepted"). */
export function bodyKindOf(mediaType: string): BodyKind {
  const known = KINDS[mediaType];
  if (known !== undefined) return known;
  if (mediaType.endsWith("+json")) return "json";
  return mediaType.endsWith("+xml") ? "xml" : "other";
}
