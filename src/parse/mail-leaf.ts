import type { HeaderField } from "../model/mail.ts";
import type { MailPart } from "../model/mail-part.ts";
import { decodeText } from "./charset.ts";
import { decodeWords } from "./encoded-words.ts";
import { unflow } from "./flowed.ts";
import type { Leaf } from "./mime-tree.ts";
import { fieldOf } from "./headers.ts";
import { rejoin } from "./rejoin.ts";
import { decodeTransfer } from "./transfer-encoding.ts";

const ENCRYPTED = new Set(["application/pgp-encrypted", "multipart/encrypted"]);

/** A leaf as the other rooms see it; decoding waits until somebody asks. */
export class MailLeaf implements MailPart {
  readonly #leaf: Leaf;
  #bytes: Buffer | undefined;
  #text: string | undefined;

  constructor(leaf: Leaf) {
    this.#leaf = leaf;
  }

  get part(): string {
    return this.#leaf.part;
  }

  get mediaType(): string {
    return this.#leaf.contentType.value;
  }

  get filename(): string | null {
    const { disposition, contentType } = this.#leaf;
    return disposition.parameters.get("filename") ?? contentType.parameters.get("name") ?? null;
  }

  get disposition(): "inline" | "attachment" | null {
    const { value } = this.#leaf.disposition;
    // RFC 2183 §2.8: an unknown disposition is an attachment.
    return value === "" ? null : value === "inline" ? "inline" : "attachment";
  }

  get forwarded(): boolean {
    return this.#leaf.forwarded;
  }

  get container(): string {
    return this.#leaf.container;
  }

  get headers(): readonly HeaderField[] {
    return this.#leaf.fields.map(({ writtenName, value }) => ({ name: writtenName, value: decodeWords(value) }));
  }

  get contentId(): string | undefined {
    return fieldOf(this.#leaf.fields, "content-id");
  }

  get bytes(): Buffer {
    return (this.#bytes ??= decodeTransfer(this.#leaf.encoded, this.#leaf.transferEncoding));
  }

  get encrypted(): boolean {
    const { value, parameters } = this.#leaf.contentType;
    return (
      ENCRYPTED.has(value) ||
      (/^application\/(?:x-)?pkcs7-mime$/.test(value) && parameters.get("smime-type")?.toLowerCase() !== "signed-data")
    );
  }

  text(): string {
    if (this.#text !== undefined) return this.#text;
    const { value, parameters } = this.#leaf.contentType;
    const isHtml = value === "text/html" || value === "application/xhtml+xml";
    const text = decodeText(this.bytes, parameters.get("charset"), isHtml);
    const flowed = value === "text/plain" && parameters.get("format")?.toLowerCase() === "flowed";
    this.#text = flowed ? unflow(text, parameters.get("delsp")?.toLowerCase() === "yes") : text;
    return this.#text;
  }

  rejoined(): ReturnType<typeof rejoin> {
    return rejoin(decodeText(this.bytes, this.#leaf.contentType.parameters.get("charset"), false));
  }
}
