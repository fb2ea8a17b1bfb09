import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";
import type { Leaf } from "./leaf.ts";
import type { StructuredValue } from "./parameters.ts";
import { dispositionOf, transferEncodingOf } from "./content-type.ts";
import { QUOTES_AND_BLANKS, trimAll } from "./trim.ts";

/** Where an entity stands. */
export interface Place {
  readonly part: string;
  readonly depth: number;
  readonly rfc822Depth: number;
  readonly forwarded: boolean;
  readonly container: string;
  /** The address that Content-Location gives the multiparts around it, `null` without one. */
  readonly location: string | null;
}

/** A header, and where the body behind it begins. */
export interface Entity {
  readonly place: Place;
  readonly fields: readonly RawField[];
  readonly contentType: StructuredValue;
  readonly bodyStart: number;
}

/**
 * The boundary that an entity's header names, whatever its type says: mailers write `multipart/multipart/mixed`. An
 * enclosed mail has a header of its own, whose boundary some mailers repeat around it.
 */
export function boundaryOf({ value, parameters }: StructuredValue): string | undefined {
  return value.startsWith("message/") ? undefined : parameters.get("boundary")?.trimEnd() || undefined;
}

export function isMultipart({ value }: StructuredValue): boolean {
  return value.startsWith("multipart/");
}

/** Where the child with this number of a multipart stands. */
export function childPlace({ place, fields, contentType }: Entity, number: number): Place {
  const part = place.part === "" ? `${number}` : `${place.part}.${number}`;
  const container = isMultipart(contentType) ? contentType.value : "multipart/mixed";
  return { ...place, part, depth: place.depth + 1, container, location: locationOf(fields, place.location) };
}

const MAX_LOCATION_LENGTH = 2_000;

/** Content-Location, resolved as far as it can be; folds in it stand for nothing (RFC 2557 §4.1, §5). */
function locationOf(fields: readonly RawField[], around: string | null): string | null {
  const written = trimAll(fieldOf(fields, "content-location") ?? "", `${QUOTES_AND_BLANKS}<>`).replace(/\s+/g, "");
  if (written === "" || written.length > MAX_LOCATION_LENGTH) return around;
  return URL.parse(written, around ?? undefined)?.href ?? written;
}

/** Where the mail in a `message/rfc822` part stands. */
export function insideMail({ place, contentType }: Entity): Place {
  return {
    part: place.part === "" ? "1" : place.part,
    depth: place.depth + 1,
    rfc822Depth: place.rfc822Depth + 1,
    forwarded: true,
    container: contentType.value,
    location: null,
  };
}

/** An entity that holds no parts. */
export function leafOf({ place, fields, contentType }: Entity, body: Buffer): Leaf {
  return {
    part: leafNumber(place),
    fields,
    contentType,
    disposition: dispositionOf(fields),
    transferEncoding: transferEncodingOf(fields),
    encoded: body,
    forwarded: place.forwarded,
    container: place.container,
    location: locationOf(fields, place.location),
    encrypted: place.container === "multipart/encrypted",
  };
}

/** A mail, or an enclosed mail, that is no multipart has one part, number 1. */
function leafNumber({ part, container }: Place): string {
  if (part === "") return "1";
  return container.startsWith("message/") ? `${part}.1` : part;
}
