import type { RawField } from "./headers.ts";
import { fieldOf } from "./headers.ts";
import type { Leaf } from "./leaf.ts";
import type { StructuredValue } from "./parameters.ts";
import { readStructured } from "./parameters.ts";
import { transferEncodingOf } from "./content-type.ts";

/** Where an entity stands. */
export interface Place {
  readonly part: string;
  readonly depth: number;
  readonly rfc822Depth: number;
  readonly forwarded: boolean;
  readonly container: string;
}

/** A header, and where the body behind it begins. */
export interface Entity {
  readonly place: Place;
  readonly fields: readonly RawField[];
  readonly contentType: StructuredValue;
  readonly bodyStart: number;
}

/** The boundary that a multipart's header names. */
export function boundaryOf({ value, parameters }: StructuredValue): string | undefined {
  return value.startsWith("multipart/") ? parameters.get("boundary")?.trimEnd() || undefined : undefined;
}

/** Where the child with this number of a multipart stands. */
export function childPlace({ place, contentType }: Entity, number: number): Place {
  const part = place.part === "" ? `${number}` : `${place.part}.${number}`;
  return { ...place, part, depth: place.depth + 1, container: contentType.value };
}

/** Where the mail in a `message/rfc822` part stands. */
export function insideMail({ place, contentType }: Entity): Place {
  return {
    part: place.part === "" ? "1" : place.part,
    depth: place.depth + 1,
    rfc822Depth: place.rfc822Depth + 1,
    forwarded: true,
    container: contentType.value,
  };
}

/** An entity that holds no parts. */
export function leafOf({ place, fields, contentType }: Entity, body: Buffer): Leaf {
  return {
    part: leafNumber(place),
    fields,
    contentType,
    disposition: readStructured(fieldOf(fields, "content-disposition")),
    transferEncoding: transferEncodingOf(fields),
    encoded: body,
    forwarded: place.forwarded,
    container: place.container,
    encrypted: place.container === "multipart/encrypted",
  };
}

/** A mail, or an enclosed mail, that is no multipart has one part, number 1. */
function leafNumber({ part, container }: Place): string {
  if (part === "") return "1";
  return container.startsWith("message/") ? `${part}.1` : part;
}
