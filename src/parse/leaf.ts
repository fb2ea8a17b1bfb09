import type { RawField } from "./headers.ts";
import type { StructuredValue } from "./parameters.ts";
import { QUOTES_AND_BLANKS, trimAll } from "./trim.ts";

/** A leaf of the MIME tree, its transfer encoding still on. */
export interface Leaf {
  readonly part: string;
  readonly fields: readonly RawField[];
  readonly contentType: StructuredValue;
  readonly disposition: StructuredValue;
  readonly transferEncoding: string;
  readonly encoded: Buffer;
  readonly forwarded: boolean;
  /** The media type of the multipart or message around it, "" at the root. */
  readonly container: string;
  /** Its Content-Location, resolved against those around it; `null` without one. */
  readonly location: string | null;
  readonly encrypted: boolean;
}

/** A leaf that stood in another one's bytes, without a header of its own: a file in a `winmail.dat`, or uuencoded in a text. */
export function looseLeaf(
  around: Leaf,
  piece: {
    readonly part: string;
    readonly mediaType: string;
    readonly charset: string | null;
    readonly filename: string | null;
    readonly bytes: Buffer;
    readonly container: string;
    readonly forwarded: boolean;
  },
): Leaf {
  const { part, mediaType, charset, filename, bytes, container, forwarded } = piece;
  const named = filename !== null;
  return {
    part,
    fields: [],
    contentType: { value: mediaType, parameters: new Map(charset === null ? [] : [["charset", charset]]) },
    disposition: {
      value: named ? "attachment" : "",
      parameters: new Map(filename === null ? [] : [["filename", filename]]),
    },
    transferEncoding: "",
    encoded: bytes,
    forwarded: around.forwarded || forwarded,
    container,
    location: around.location,
    encrypted: false,
  };
}

/**
 * The file name that a leaf goes by: Content-Disposition's, else the `name` of Content-Type; "" is none. What careless mailers
 * leave at its ends does not belong to it: blanks, quotes, semicolons, angle brackets.
 */
export function filenameOf({ disposition, contentType }: Pick<Leaf, "disposition" | "contentType">): string | null {
  return named(disposition.parameters.get("filename")) ?? named(contentType.parameters.get("name"));
}

const AROUND_NAMES = `${QUOTES_AND_BLANKS}\0;<>\u200b\u200c\u200d\u2060`;

const named = (written: string | undefined) => trimAll(written ?? "", AROUND_NAMES) || null;
