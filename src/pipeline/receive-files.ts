import { createHash } from "node:crypto";
import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";

import type { TryLaterCause } from "../model/outcome.ts";
import { baseName } from "../parse/body-disposition.ts";
import type { FormField, RawField } from "../parse/body-fields.ts";
import { decoderOf } from "../parse/body-fields.ts";
import { parseBodyType } from "../parse/body-kind.ts";
import type { FormPart } from "../parse/body-multipart.ts";
import { MultipartParser, MultipartProblem } from "../parse/body-multipart.ts";
import { decodeText, readStrictly } from "../parse/charset.ts";

/** One file of a form (contract §5 `data.files`). */
export interface ReceivedFile {
  readonly field: string;
  readonly filename: string;
  readonly mediaType: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Object name; `null` when the hook keeps no files. */
  readonly object: string | null;
}

type StoredStream =
  | { readonly kind: "stored"; readonly name: string; readonly size: number; readonly sha256: string }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error: unknown };

export interface FileSink {
  /** Stores bytes while they come; the stream's own error means that they broke off. */
  storeStream(stream: ReadableStream<Uint8Array>, receivedAt: number): Promise<StoredStream>;
  /** Takes back what belongs to a form that was refused after all. Never throws. */
  removeObjects(names: readonly string[]): Promise<void>;
}

export interface MultipartLimits {
  readonly fields: number;
  readonly files: number;
  /** All fields together. */
  readonly fieldBytes: number;
}

export type MultipartReading =
  | { readonly kind: "form"; readonly fields: readonly FormField[]; readonly files: readonly ReceivedFile[] }
  | { readonly kind: "malformed"; readonly detail: string }
  | { readonly kind: "too-large"; readonly detail: string }
  | { readonly kind: "tryLater"; readonly cause: TryLaterCause; readonly error: unknown };

/**
 * Reads a multipart body as it arrives: fields into memory, files straight to the Object Store, one after the other, with
 * the sender held back while the store is slow. What was stored of a form that is refused is taken back.
 *
 * Throws what `body` throws: its sender went away, or passed the limit on the whole.
 */
export async function receiveFiles(
  body: AsyncIterable<Buffer>,
  boundary: string,
  options: { readonly limits: MultipartLimits; readonly receivedAt: number; readonly sink: FileSink | undefined },
  discard: FileSink["removeObjects"],
): Promise<MultipartReading> {
  const form = new OpenForm(options);
  let reading: MultipartReading | undefined;
  try {
    const parser = new MultipartParser(boundary);
    for await (const chunk of body) {
      for (const piece of parser.push(chunk)) {
        if (piece.kind === "part") reading = form.open(piece.part);
        else if (piece.kind === "data") reading = await form.add(piece.bytes);
        else reading = await form.close();
        if (reading !== undefined) return reading;
      }
    }
    parser.end();
    reading = form.read();
    return reading;
  } catch (error) {
    if (!(error instanceof MultipartProblem)) throw error;
    reading = { kind: "malformed", detail: `No multipart form: ${error.message}` };
    return reading;
  } finally {
    await form.abandon();
    if (reading?.kind !== "form") await discard(form.objects);
  }
}

/** A field of which nobody knows yet how it is encoded: the form says so in any of its fields. */
interface ReceivedField extends RawField {
  /** Of its own Content-Type; "" without one. */
  readonly charset: string;
}

/** The part that is open, and what came before it. */
class OpenForm {
  readonly #fields: ReceivedField[] = [];
  readonly #files: { readonly part: FormPart; readonly file: ReceivedFile }[] = [];
  readonly #options: Parameters<typeof receiveFiles>[2];
  #part: FormPart | undefined;
  #chunks: Buffer[] = [];
  #fieldBytes = 0;
  /** File inputs that nobody filled: they become nothing, but each costs what a file's header costs. */
  #unfilled = 0;
  #upload: Upload | undefined;

  constructor(options: Parameters<typeof receiveFiles>[2]) {
    this.#options = options;
  }

  /** Names of what was stored. */
  get objects(): string[] {
    return this.#files.flatMap(({ file: { object } }) => object ?? []);
  }

  /** The whole form, decoded. */
  read(): MultipartReading {
    const namesOfFiles = this.#files.map(({ part: { rawName, rawFilename = "" } }) => ({
      name: Buffer.from(rawName, "latin1"),
      value: Buffer.from(rawFilename, "latin1"),
    }));
    const decode = decoderOf([...this.#fields.filter(({ charset }) => charset === ""), ...namesOfFiles], "");
    const fields: FormField[] = [];
    for (const { name, value, charset } of this.#fields) {
      const field = [decode(name), charset === "" ? decode(value) : readStrictly(value, charset, "text")] as const;
      if (field[1] === undefined)
        return { kind: "malformed", detail: `Field ${fields.length + 1} is not valid in its charset` };
      // A name that is no UTF-8 in a form that says nothing of it is what old browsers send.
      fields.push([field[0] ?? decodeText(name, undefined, false), field[1].replace(/^\uFEFF/, "")]);
    }
    const nameOf = (raw: string | undefined) => (raw === undefined ? undefined : decode(Buffer.from(raw, "latin1")));
    const files = this.#files.map(({ part, file }) => ({
      ...file,
      field: nameOf(part.rawName) ?? file.field,
      filename: baseName(nameOf(part.rawFilename) ?? file.filename),
    }));
    return { kind: "form", fields, files };
  }

  open(part: FormPart): MultipartReading | undefined {
    const { limits } = this.#options;
    this.#part = part;
    this.#chunks = [];
    if (part.filename === null && this.#fields.length >= limits.fields)
      return { kind: "too-large", detail: `More than ${limits.fields} fields` };
    if (part.filename !== null && this.#files.length + this.#unfilled >= limits.files)
      return { kind: "too-large", detail: `More than ${limits.files} files` };
    this.#fieldBytes += part.name.length;
    return undefined;
  }

  async add(bytes: Buffer): Promise<MultipartReading | undefined> {
    if (this.#part?.filename === null) {
      this.#fieldBytes += bytes.length;
      this.#chunks.push(Buffer.from(bytes));
      return this.#fieldBytes > this.#options.limits.fieldBytes
        ? { kind: "too-large", detail: `The fields are over ${this.#options.limits.fieldBytes} bytes` }
        : undefined;
    }
    this.#upload ??= new Upload(this.#options.sink, this.#options.receivedAt);
    return this.#upload.write(bytes);
  }

  async close(): Promise<MultipartReading | undefined> {
    const part = this.#part;
    if (part === undefined) return undefined;
    if (part.filename === null) {
      this.#closeField(part);
      return undefined;
    }
    // A file input that nobody filled: no name and no bytes.
    if (part.filename === "" && this.#upload === undefined) {
      this.#unfilled += 1;
      return undefined;
    }
    const upload = this.#upload ?? new Upload(this.#options.sink, this.#options.receivedAt);
    this.#upload = undefined;
    const stored = await upload.end();
    if (stored.kind === "tryLater") return stored;
    const { object, size, sha256 } = stored;
    const mediaType = parseBodyType(part.contentType).mediaType || "application/octet-stream";
    const { name: field, filename } = part;
    this.#files.push({ part, file: { field, filename, mediaType, size, sha256, object } });
    return undefined;
  }

  #closeField({ rawName, contentType }: FormPart): void {
    const { charset } = parseBodyType(contentType);
    this.#fields.push({ name: Buffer.from(rawName, "latin1"), value: Buffer.concat(this.#chunks), charset });
  }

  /** Ends an upload whose form broke off in the middle. */
  async abandon(): Promise<void> {
    await this.#upload?.abandon();
  }
}

type Ended =
  | { readonly kind: "stored"; readonly object: string | null; readonly size: number; readonly sha256: string }
  | (MultipartReading & { readonly kind: "tryLater" });

/** One file on its way. */
class Upload {
  readonly #hash = createHash("sha256");
  readonly #pipe: PassThrough | undefined;
  readonly #stored: Promise<StoredStream> | undefined;
  #size = 0;

  constructor(sink: FileSink | undefined, receivedAt: number) {
    if (sink === undefined) return;
    this.#pipe = new PassThrough();
    this.#stored = sink.storeStream(Readable.toWeb(this.#pipe) as ReadableStream<Uint8Array>, receivedAt);
  }

  /** Waits while the store is slow; a store that gave up ends the form. */
  async write(bytes: Buffer): Promise<MultipartReading | undefined> {
    this.#size += bytes.length;
    if (this.#pipe === undefined || this.#stored === undefined) {
      this.#hash.update(bytes);
      return undefined;
    }
    // The parser's slices are parts of a buffer that is used again; what waits needs bytes of its own.
    if (this.#pipe.write(Buffer.from(bytes))) return undefined;
    const first = await Promise.race([once(this.#pipe, "drain").catch(() => undefined), this.#stored]);
    return first !== undefined && "kind" in first && first.kind === "tryLater" ? first : undefined;
  }

  async end(): Promise<Ended> {
    if (this.#pipe === undefined || this.#stored === undefined)
      return { kind: "stored", object: null, size: this.#size, sha256: this.#hash.digest("hex") };
    this.#pipe.end();
    const stored = await this.#stored;
    return stored.kind === "tryLater"
      ? stored
      : { kind: "stored", object: stored.name, size: stored.size, sha256: stored.sha256 };
  }

  async abandon(): Promise<void> {
    this.#pipe?.destroy(new Error("the form broke off"));
    await this.#stored;
  }
}
