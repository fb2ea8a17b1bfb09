import type { LimitName } from "../model/item.ts";
import { contentTypeOf, transferEncodingOf } from "./content-type.ts";
import type { Delimiter } from "./delimiters.ts";
import { DelimiterSearch } from "./delimiters.ts";
import { asMail, isMessage } from "./enclosed-mail.ts";
import { guessBoundary } from "./guess-boundary.ts";
import type { RawField } from "./headers.ts";
import { fieldOf, readHeaders } from "./headers.ts";
import type { Leaf } from "./leaf.ts";
import type { Entity, Place } from "./entity.ts";
import { boundaryOf, childPlace, insideMail, isMultipart, leafOf } from "./entity.ts";
import { openLeaf } from "./open-leaf.ts";
import type { StructuredValue } from "./parameters.ts";
import { decodeTransfer } from "./transfer-encoding.ts";

/** Limits that are checked while the tree grows, before anything is built from it. */
export interface MimeLimits {
  /** Numbered parts, those of multiparts and those found inside files. */
  readonly parts: number;
  readonly mimeDepth: number;
  /** Of each header block. */
  readonly headerBytes: number;
  /** How deep `message/rfc822` is entered; below, it stays an attachment. */
  readonly rfc822Depth: number;
  /** Bytes of UTF-8 that `summary.text` and `summary.html` carry at most. */
  readonly textBytes: number;
}

export interface MimeTree {
  readonly fields: readonly RawField[];
  readonly bodyStart: number;
  readonly leaves: readonly Leaf[];
  /** What was opened, and what could not be, for people. */
  readonly notes: readonly string[];
  readonly limit?: { readonly limit: LimitName; readonly detail: string };
}

/** A multipart whose last delimiter has not come yet. */
interface OpenMultipart {
  readonly entity: Entity;
  children: number;
}

const LOOK_BYTES = 256;
const BLANK = /^\s*$/;
/**
 * Base64 in base64 shrinks by a quarter each time and stays below four times the mail. What shrinks less, such as signed
 * bodies in signed bodies, would be the whole mail again at each level, and all levels are in memory at once.
 */
const MAX_REGION_SHARE = 4;
const IDENTITY = /^(?:|7bit|8bit|binary)$/;

/**
 * The leaves of a mail in document order, in one pass over its bytes.
 *
 * Enclosed mails are read in place; only what is encoded (a mail in base64, an S/MIME body) is a region of its own, as deep
 * as `limits` lets parts nest. Source: RFC 2045, RFC 2046 §5; numbers as IMAP gives them (RFC 3501 §6.4.5).
 */
export function readTree(bytes: Buffer, limits: MimeLimits): MimeTree {
  const reader = new TreeReader(limits, MAX_REGION_SHARE * bytes.length);
  reader.read(bytes, leadingBlank(bytes), {
    part: "",
    depth: 0,
    rfc822Depth: 0,
    forwarded: false,
    container: "",
    location: null,
  });
  const { leaves, notes, limit, top } = reader;
  const { fields, bodyStart } = top ?? { fields: [], bodyStart: bytes.length };
  return { fields, bodyStart, leaves, notes, ...(limit !== undefined && { limit }) };
}

class TreeReader {
  readonly leaves: Leaf[] = [];
  readonly notes: string[] = [];
  limit: MimeTree["limit"];
  /** The header of the mail itself. */
  top: { readonly fields: readonly RawField[]; readonly bodyStart: number } | undefined;
  readonly #limits: MimeLimits;
  #parts = 0;
  /** What encoded parts that hold parts may still take, all together. */
  #regionBytes: number;

  constructor(limits: MimeLimits, regionBytes: number) {
    this.#limits = limits;
    this.#regionBytes = regionBytes;
  }

  /** Reads the entity at `start` and everything in it, to the end of `bytes`. */
  read(bytes: Buffer, start: number, place: Place): void {
    this.#readAll(bytes, new DelimiterSearch(bytes), [], { at: start, place });
  }

  #readAll(
    bytes: Buffer,
    search: DelimiterSearch,
    open: OpenMultipart[],
    first: { readonly at: number; readonly place: Place } | undefined,
  ): void {
    let next = first;
    while (next !== undefined && this.limit === undefined) {
      const entity = this.#header(bytes, next.at, next.place, search);
      if (entity === undefined) return;
      const named = boundaryOf(entity.contentType);
      // A part of another type that repeats its parent's boundary holds nothing.
      const isRepeated = named !== undefined && !isMultipart(entity.contentType) && search.isOpen(named);
      const boundary = isRepeated ? undefined : named;
      if (boundary !== undefined) {
        search.push(boundary);
        open.push({ entity, children: 0 });
      } else if (IDENTITY.test(transferEncodingOf(entity.fields))) {
        const enclosing = this.#enclosing(entity, () => bytes.subarray(entity.bodyStart));
        if (enclosing !== undefined) {
          next = { at: entity.bodyStart, place: insideMail(enclosing) };
          continue;
        }
      }
      const delimiter = search.next(entity.bodyStart);
      if (boundary === undefined) this.#leaf(entity, bytes.subarray(entity.bodyStart, delimiter?.start));
      next = this.#follow(bytes, delimiter, open, search);
    }
  }

  /** Closes what a delimiter ends; the place of the next part, `undefined` at the end of the bytes. */
  #follow(
    bytes: Buffer,
    first: Delimiter | undefined,
    open: OpenMultipart[],
    search: DelimiterSearch,
  ): { at: number; place: Place } | undefined {
    for (let delimiter = first; this.limit === undefined; delimiter = search.next(delimiter.end)) {
      const keep = delimiter === undefined ? 0 : delimiter.isLast ? delimiter.owner : delimiter.owner + 1;
      while (open.length > keep) {
        const closed = open.pop();
        if (closed?.children === 0)
          this.#childless(closed.entity, bytes.subarray(closed.entity.bodyStart, delimiter?.start));
      }
      search.popTo(open.length);
      const parent = open.at(-1);
      if (delimiter === undefined) return undefined;
      // Behind a last delimiter stands an epilogue, up to a delimiter of the multipart around it.
      if (delimiter.isLast || parent === undefined) continue;
      parent.children += 1;
      return { at: delimiter.end, place: childPlace(parent.entity, parent.children) };
    }
    return undefined;
  }

  #header(bytes: Buffer, at: number, place: Place, search: DelimiterSearch): Entity | undefined {
    const { mimeDepth, headerBytes } = this.#limits;
    const isNumbered = !place.container.startsWith("message/");
    if (isNumbered && !this.#count(place.part === "" ? 0 : 1)) return undefined;
    if (place.depth > mimeDepth) return this.#over("mime-depth", `parts are nested deeper than ${mimeDepth}`);
    const { fields, bodyStart, isTooLong } = readHeaders(bytes, at, headerBytes, search);
    this.top ??= { fields, bodyStart };
    if (isTooLong) return this.#over("header-bytes", `a header block of more than ${headerBytes} bytes`);
    const defaultType = place.container === "multipart/digest" ? "message/rfc822" : "text/plain";
    const contentType = contentTypeOf(fields, defaultType, bytes.subarray(bodyStart));
    return { place, fields, contentType, bodyStart };
  }

  #leaf(entity: Entity, body: Buffer): void {
    const { place, fields, contentType } = entity;
    // Its boundary was forgotten, or is written in a way that nobody reads.
    if (isMultipart(contentType)) return this.#childless(entity, body);
    const leaf = leafOf(entity, body);
    if (fieldOf(fields, "content-type") === undefined && place.part === "") {
      // A mail whose MIME header was lost: its body still begins with a delimiter.
      const boundary = body[0] === 0x2d ? guessBoundary(body) : undefined;
      if (boundary !== undefined) return this.#multipart(entity, body, boundary);
    }
    const decoded = () => decodeTransfer(body, leaf.transferEncoding);
    const enclosing = this.#enclosing(entity, decoded);
    if (enclosing !== undefined) return this.#readInside(enclosing, decoded());
    if (isMessage(contentType))
      this.notes.push(`part ${leaf.part} is a mail enclosed deeper than ${this.#limits.rfc822Depth}, not entered`);
    this.#open(leaf, entity);
  }

  /** Reads a mail that stands in the bytes of a part. */
  #readInside(entity: Entity, inner: Buffer): void {
    if (this.#takes(inner)) this.read(inner, leadingBlank(inner), insideMail(entity));
  }

  /** A leaf as it is, or what is in it. */
  #open(leaf: Leaf, entity: Entity): void {
    const { place } = entity;
    const opened = openLeaf(leaf, this.#limits.rfc822Depth - place.rfc822Depth);
    if (opened.note !== undefined) this.notes.push(opened.note);
    if (opened.kind === "entity") {
      const { value } = leaf.contentType;
      if (!this.#takes(opened.bytes)) return;
      return this.read(opened.bytes, 0, { ...place, part: `${leaf.part}.1`, depth: place.depth + 1, container: value });
    }
    const [first, ...others] = opened.leaves;
    if (first === undefined || !this.#count(others.length)) return;
    for (const one of opened.leaves) {
      const { part, contentType, disposition, encoded } = one;
      const inside = { ...entity, contentType, place: { ...place, part, depth: place.depth + 1 } };
      const enclosing = one === leaf ? undefined : this.#enclosing(inside, () => encoded, disposition);
      if (enclosing === undefined) this.leaves.push(one);
      else this.#readInside(enclosing, encoded);
    }
  }

  /** A multipart in whose body no delimiter was found: encoded against the rules, or under another boundary; else it is text. */
  #childless(entity: Entity, body: Buffer): void {
    // A part of another type that names a boundary, for nothing.
    if (!isMultipart(entity.contentType)) return this.#leaf(entity, body);
    const decoded = decodeTransfer(body, transferEncodingOf(entity.fields));
    if (decoded !== body && !this.#takes(decoded)) return;
    const declared = decoded === body ? undefined : boundaryOf(entity.contentType);
    const boundary = guessBoundary(decoded) ?? declared;
    if (boundary !== undefined && decoded.includes(`--${boundary}`)) return this.#multipart(entity, decoded, boundary);
    // A multipart of nothing has no text either.
    if (BLANK.test(body.toString("latin1", 0, LOOK_BYTES))) return;
    const { contentType } = entity;
    const asText = { ...entity, contentType: { ...contentType, value: "text/plain" } };
    this.#open(leafOf(asText, body), asText);
  }

  /** Reads `body` as a multipart with this boundary, which its header does not name. */
  #multipart(entity: Entity, body: Buffer, boundary: string): void {
    const { place, contentType } = entity;
    const { mimeDepth } = this.#limits;
    // One level deeper, so that regions in regions come to an end.
    if (place.depth >= mimeDepth) return this.#over("mime-depth", `parts are nested deeper than ${mimeDepth}`);
    this.notes.push(`part ${place.part || "1"} is a multipart with a boundary that its header does not name`);
    const value = isMultipart(contentType) ? contentType.value : "multipart/mixed";
    const around: Entity = {
      fields: [],
      place: { ...place, depth: place.depth + 1 },
      contentType: { ...contentType, value },
      bodyStart: 0,
    };
    const search = new DelimiterSearch(body);
    search.push(boundary);
    const open: OpenMultipart[] = [{ entity: around, children: 0 }];
    this.#readAll(body, search, open, this.#follow(body, search.next(0), open, search));
  }

  /** The entity as one that holds a mail, `undefined` where it holds none or enclosed mails are not entered any deeper. */
  #enclosing(entity: Entity, content: () => Buffer, disposition?: StructuredValue): Entity | undefined {
    return entity.place.rfc822Depth < this.#limits.rfc822Depth ? asMail(entity, content, disposition) : undefined;
  }

  /** Counts a region of its own; whether there is room for it. */
  #takes(region: Buffer): boolean {
    this.#regionBytes -= region.length;
    if (this.#regionBytes >= 0) return true;
    this.#over("mime-depth", `encoded parts in encoded parts, more than ${MAX_REGION_SHARE} times the mail in all`);
    return false;
  }

  #count(parts: number): boolean {
    this.#parts += parts;
    if (this.#parts <= this.#limits.parts) return true;
    this.#over("parts", `more than ${this.#limits.parts} parts`);
    return false;
  }

  #over(limit: LimitName, detail: string): undefined {
    this.limit ??= { limit, detail };
    return undefined;
  }
}

/** Where the header begins: empty lines before it are passed over when a field follows them. */
function leadingBlank(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 0x0d || bytes[at] === 0x0a) at += 1;
  return at > 0 && /^[\w-]{1,80}:/.test(bytes.toString("latin1", at, at + 82)) ? at : 0;
}
