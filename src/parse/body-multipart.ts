import { Base64Stream } from "./base64-stream.ts";
import { parseDisposition } from "./body-disposition.ts";
import { trimAll } from "./trim.ts";

/** What a `multipart/form-data` body holds, piece by piece. */
export type MultipartPiece =
  | { readonly kind: "part"; readonly part: FormPart }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "partEnd" };

/** The header fields of one part. */
export interface FormPart {
  readonly name: string;
  /** `null` for a field; "" when a browser sends a file input that nobody filled. */
  readonly filename: string | null;
  /** As sent; "" when there is none. */
  readonly contentType: string;
  /** Names with one character for each byte, for forms that say their charset; `undefined` for a name that says its own. */
  readonly rawName: string;
  readonly rawFilename: string | undefined;
}

/** A body that is no multipart, in words of ours. */
export class MultipartProblem extends Error {}

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_PADDING_BYTES = 100;
const CRLF = Buffer.from("\r\n");
const BOM = Buffer.from("\uFEFF");
const HEADER_END = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);
const [DASH, CR, LF, SPACE, TAB] = [0x2d, 0x0d, 0x0a, 0x20, 0x09];

/**
 * The boundary of a `multipart/form-data` Content-Type; undefined when it names none. Wider than RFC 2046 §5.1.1: senders
 * use longer ones, and characters such as backslashes, and mean them literally.
 */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, token] = /;[\t ]*boundary[\t ]*=[\t ]*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? token;
  return boundary !== undefined && /^[\x20-\x7e]*[\x21-\x7e]$/.test(boundary) ? boundary : undefined;
}

/**
 * Takes a multipart body apart while it arrives: never more than one delimiter's length, or the header fields of one
 * part, is kept. How the body is cut into chunks makes no difference.
 *
 * Nothing is skipped in silence: what is no part of a form throws a {@link MultipartProblem}.
 *
 * Source: RFC 7578; RFC 2046 §5.1.1.
 */
export class MultipartParser {
  readonly #delimiter: Buffer;
  // The first delimiter may stand at the very start, without the line end that belongs to each.
  #rest: Buffer = CRLF;
  #state: "start" | "preamble" | "header" | "body" | "done" = "start";
  /** Bytes at the front of the buffer that belong to the header's end, kept because they may begin a delimiter. */
  #skip = 0;
  #parts = 0;
  #base64: Base64Stream | undefined;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  }

  /** What the next chunk completes, in order. Throws {@link MultipartProblem}. */
  *push(chunk: Buffer): Generator<MultipartPiece, void, undefined> {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = NOTHING;
    if (this.#state === "start") {
      const marked = Math.min(BOM.length, buffer.length - CRLF.length);
      const mayBeMark = buffer.subarray(CRLF.length, CRLF.length + marked).equals(BOM.subarray(0, marked));
      if (mayBeMark && marked < BOM.length) {
        this.#rest = Buffer.from(buffer);
        return;
      }
      // A byte order mark is no preamble, or the first part would be part of it.
      if (mayBeMark) buffer = Buffer.concat([CRLF, buffer.subarray(CRLF.length + BOM.length)]);
      this.#state = "preamble";
    }
    for (;;) {
      // An epilogue is no part of the body (RFC 2046 §5.1.1).
      if (this.#state === "done") return;
      if (this.#state === "header") {
        const end = buffer.indexOf(HEADER_END);
        if ((end < 0 ? buffer.length : end) > MAX_HEADER_BYTES)
          throw new MultipartProblem(`the header fields of part ${this.#parts} are over ${MAX_HEADER_BYTES} bytes`);
        if (end < 0) break;
        const { isBase64, ...part } = readPart(buffer.toString("latin1", 0, end), this.#parts);
        this.#base64 = isBase64 ? new Base64Stream() : undefined;
        yield { kind: "part", part };
        buffer = buffer.subarray(end + CRLF.length);
        this.#skip = CRLF.length;
        this.#state = "body";
        continue;
      }
      const found = findDelimiter(buffer, this.#delimiter);
      if (this.#state === "body" && found.at > this.#skip) yield* this.#data(buffer.subarray(this.#skip, found.at));
      this.#skip = Math.max(0, this.#skip - found.at);
      if (found.kind === "none") {
        buffer = buffer.subarray(found.at);
        break;
      }
      if (this.#state === "body") {
        if (this.#base64 !== undefined) yield* this.#decoded(this.#base64.end());
        yield { kind: "partEnd" };
      }
      this.#skip = 0;
      this.#parts += 1;
      this.#state = found.kind === "last" ? "done" : "header";
      buffer = buffer.subarray(found.behind);
    }
    // A slice would keep the whole chunk alive.
    this.#rest = Buffer.from(buffer);
  }

  *#data(bytes: Buffer): Generator<MultipartPiece, void, undefined> {
    if (this.#base64 === undefined) yield { kind: "data", bytes };
    else yield* this.#decoded(this.#base64.push(bytes));
  }

  *#decoded(bytes: Buffer | undefined): Generator<MultipartPiece, void, undefined> {
    if (bytes === undefined) throw new MultipartProblem(`part ${this.#parts} is no base64, as it says it is`);
    if (bytes.length > 0) yield { kind: "data", bytes };
  }

  /** Throws when the body ended before its closing delimiter. */
  end(): void {
    if (this.#state !== "done") throw new MultipartProblem("it ends before its closing boundary");
  }
}

/** `at` is where the delimiter begins, or, when none is there, how far the buffer is surely data. */
type Found =
  | { readonly kind: "none"; readonly at: number }
  | { readonly kind: "next" | "last"; readonly at: number; readonly behind: number };

function findDelimiter(buffer: Buffer, delimiter: Buffer): Found {
  for (let from = 0; ;) {
    const at = buffer.indexOf(delimiter, from);
    if (at < 0) return { kind: "none", at: Math.max(0, buffer.length - delimiter.length + 1) };
    let behind = at + delimiter.length;
    if (buffer[behind] === DASH && buffer[behind + 1] === DASH) return { kind: "last", at, behind: behind + 2 };
    const padded = behind + MAX_PADDING_BYTES;
    while (behind < padded && (buffer[behind] === SPACE || buffer[behind] === TAB)) behind += 1;
    if (buffer[behind] === CR && buffer[behind + 1] === LF) return { kind: "next", at, behind: behind + 2 };
    const isCut =
      behind >= buffer.length ||
      (behind + 1 === buffer.length && /[\r-]/.test(String.fromCharCode(buffer[behind] ?? 0)));
    if (isCut) return { kind: "none", at };
    // The boundary begins a longer line: that is data.
    from = at + 1;
  }
}

/** `header` has one character for each byte. */
function readPart(header: string, number: number): FormPart & { readonly isBase64: boolean } {
  let disposition: string | undefined;
  let contentType = "";
  let isBase64 = false;
  for (const line of header.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    const value = trimAll(line.slice(colon + 1), "\t ");
    if (!FIELD_NAME.test(name)) throw new MultipartProblem(`a header field of part ${number} cannot be read`);
    const lower = name.toLowerCase();
    if (lower === "content-disposition") disposition = value;
    else if (lower === "content-type") contentType = value;
    // Deprecated by RFC 7578 §4.7, and still sent; one that we cannot undo is not passed over in silence.
    else if (lower === "content-transfer-encoding" && /^base64$/i.test(value)) isBase64 = true;
    else if (lower === "content-transfer-encoding" && !/^(?:7bit|8bit|binary)$/i.test(value))
      throw new MultipartProblem(`part ${number} has a Content-Transfer-Encoding that is not taken`);
  }
  const names = parseDisposition(disposition ?? "");
  if (names === undefined)
    throw new MultipartProblem(`part ${number} has no Content-Disposition with the name of a field`);
  return { ...names, contentType, isBase64 };
}
