import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from "node:zlib";

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

const CODINGS: Readonly<Record<string, Unpack>> = {
  gzip: (bytes, limits, done) => gunzip(bytes, limits, done),
  "x-gzip": (bytes, limits, done) => gunzip(bytes, limits, done),
  br: (bytes, limits, done) => brotliDecompress(bytes, limits, done),
  zstd: (bytes, limits, done) => zstdDecompress(bytes, limits, done),
  deflate: anyDeflate,
};

/** What we can undo, for `Accept-Encoding` of a 415 (RFC 9110 §12.5.3). */
export const ACCEPT_ENCODING = "gzip, br, zstd, deflate";

/** Honest JSON packs to a tenth or so; a thousandth is a bomb. */
const MAX_RATIO = 200;
const ALWAYS_ALLOWED_BYTES = 64 * 1024;

/** Undoes a `Content-Encoding`, with a limit on what comes out and on its ratio to what went in. Never throws. */
export function unpack(bytes: Buffer, coding: string, maxBytes: number): Promise<Unpacked> {
  const name = coding.trim().toLowerCase();
  if (name === "" || name === "identity") return Promise.resolve({ kind: "body", bytes });
  const undo = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (undo === undefined) return Promise.resolve({ kind: "unknown" });
  const maxOutputLength = Math.min(maxBytes, Math.max(ALWAYS_ALLOWED_BYTES, bytes.length * MAX_RATIO));
  return new Promise((resolve) =>
    undo(bytes, { maxOutputLength }, (error, unpacked) => {
      if (error === null) resolve({ kind: "body", bytes: unpacked });
      else
        resolve({ kind: (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "damaged" });
    }),
  );
}
