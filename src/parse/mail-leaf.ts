import type { HeaderField } from "../model/mail.ts";
import type { Fidelity, MailPart, RejoinedText } from "../model/mail-part.ts";
import type { TextKind } from "./charset.ts";
import { readText } from "./charset.ts";
import type { DecodedText } from "./charset-decoders.ts";
import { isPgpMessage, withoutClearSignature } from "./clear-signed.ts";
import { decodeWords } from "./encoded-words.ts";
import { unflow } from "./flowed.ts";
import type { Leaf } from "./leaf.ts";
import { filenameOf } from "./leaf.ts";
import { rejoin } from "./rejoin.ts";
import { decodeTransfer, isLongBase64 } from "./transfer-encoding.ts";

const PGP_LOOK_BYTES = 128;

/** A leaf as the other rooms see it; decoding waits until somebody asks. */
export class MailLeaf implements MailPart {
  readonly part: string;
  readonly mediaType: string;
  readonly filename: string | null;
  readonly disposition: "inline" | "attachment" | null;
  readonly forwarded: boolean;
  readonly encrypted: boolean;
  readonly charset: string | null;
  readonly location: string | null;
  /** The media type of what stands around it, "" for a mail that is no multipart. */
  readonly container: string;
  readonly #leaf: Leaf;
  #bytes: Buffer | undefined;
  #text: DecodedText | undefined;
  #headers: readonly HeaderField[] | undefined;

  constructor(leaf: Leaf) {
    const { part, contentType, disposition, forwarded, container, location } = leaf;
    this.#leaf = leaf;
    this.part = part;
    this.mediaType = contentType.value;
    this.filename = filenameOf(leaf);
    // RFC 2183 §2.8: an unknown disposition is an attachment.
    this.disposition = disposition.value === "" ? null : disposition.value === "inline" ? "inline" : "attachment";
    this.charset = contentType.parameters.get("charset") ?? null;
    this.forwarded = forwarded;
    this.container = container;
    this.location = location;
    this.encrypted = leaf.encrypted || contentType.value === "application/pgp-encrypted" || this.#isPgpText();
  }

  get headers(): readonly HeaderField[] {
    return (this.#headers ??= this.#leaf.fields.map(({ writtenName, value }) => ({
      name: writtenName,
      value: decodeWords(value),
    })));
  }

  get bytes(): Buffer {
    return (this.#bytes ??= decodeTransfer(this.#leaf.encoded, this.#leaf.transferEncoding));
  }

  /** The text of a long file in base64, as it was sent; `undefined` for every other leaf. */
  get longBase64(): Buffer | undefined {
    const { encoded, transferEncoding } = this.#leaf;
    return isLongBase64(encoded, transferEncoding) ? encoded : undefined;
  }

  text(): string {
    return this.#decoded().text;
  }

  fidelity(): Fidelity {
    return this.#decoded().fidelity;
  }

  rejoined(): RejoinedText | undefined {
    const rejoined = rejoin(this.bytes);
    return rejoined === undefined ? undefined : { ...this.#textOf(rejoined.bytes), repair: rejoined.repair };
  }

  #decoded(): DecodedText {
    return (this.#text ??= this.#textOf(this.bytes));
  }

  #textOf(bytes: Buffer): DecodedText {
    const { value, parameters } = this.#leaf.contentType;
    const { text, fidelity } = readText(bytes, this.charset ?? undefined, kindOf(value, this.filename));
    if (value !== "text/plain") return { text, fidelity };
    const flowed = parameters.get("format")?.toLowerCase() === "flowed";
    const plain = flowed ? unflow(text, parameters.get("delsp")?.toLowerCase() === "yes") : text;
    return { text: withoutClearSignature(plain), fidelity };
  }

  #isPgpText(): boolean {
    return this.mediaType === "text/plain" && isPgpMessage(this.#leaf.encoded.toString("latin1", 0, PGP_LOOK_BYTES));
  }
}

const JSON_NAME = /\.(?:json|jsonld|ndjson|jsonl)$/i;

function kindOf(mediaType: string, filename: string | null): TextKind {
  if (mediaType === "text/html" || mediaType === "application/xhtml+xml") return "html";
  return mediaType.endsWith("json") || JSON_NAME.test(filename ?? "") ? "json" : "text";
}
