import { brotliDecompress, constants, gunzip, inflate, inflateRaw, zstdDecompress } from "node:zlib";

export type Unpacked =
  | { readonly kind: "body"; readonly bytes: Buffer }
  | { readonly kind: "too-large" }
  | { readonly kind: "damaged" }
  | { readonly kind: "unknown" };

interface Limits {
  readonly maxOutputLength: number;
}
type Done = (error: Error | null, bytes: Buffer) => void;
type Unpack = (bytes: Buffer, limits: Limits, done: Done) => void;

// Browsers and servers send two things as "deflate": what RFC 9110 §8.4.1.2 says, and without its frame.
const anyDeflate: Unpack = (bytes, limits, done) =>
  ((bytes[0] ?? 0) & 0x0f) === 8 ? inflate(bytes, limits, done) : inflateRaw(bytes, limits, done);

/** Eight megabytes, as RFC 9659 has it for HTTP: else some bytes could ask for a window of 128 MB. */
const ZSTD_WINDOW = { [constants.ZSTD_d_windowLogMax]: 23 };

const CODINGS: Readonly<Record<string, Unpack>> = {
  gzip: (bytes, limits, done) => gunzip(bytes, limits, done),
  "x-gzip": (bytes, limits, done) => gunzip(bytes, limits, done),
  br: (bytes, limits, done) => brotliDecompress(bytes, limits, done),
  zstd: (bytes, limits, done) => zstdDecompress(bytes, { ...limits, params: ZSTD_WINDOW }, done),
  deflate: anyDeflate,
};

/** What we can undo, for `Accept-Encoding` of a 415 (RFC 9110 §12.5.3). */
export const ACCEPT_ENCODING = "gzip, br, zstd, deflate";

/**
 * Undoes a `Content-Encoding`; what comes out is at most `maxBytes`, however little went in: JSON of one character all over
 * packs to a thousandth. Never throws.
 */
export function unpack(bytes: Buffer, coding: string, maxBytes: number): Promise<Unpacked> {
  const name = coding.trim().toLowerCase();
  if (name === "" || name === "identity") return Promise.resolve({ kind: "body", bytes });
  const undo = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (undo === undefined) return Promise.resolve({ kind: "unknown" });
  return new Promise((resolve) =>
    undo(bytes, { maxOutputLength: maxBytes }, (error, unpacked) => {
      if (error === null) resolve({ kind: "body", bytes: unpacked });
      else
        resolve({ kind: (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "damaged" });
    }),
  );
}
