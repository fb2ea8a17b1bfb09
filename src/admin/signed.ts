import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

const KEY_BYTES = 32;

/**
 * JSON values that leave for a browser and come back: as text that only this key can have made.
 *
 * The key is derived from the admin token and the purpose, so that what is signed for one purpose is nothing for another,
 * and every replica with the same token knows it.
 */
export class Signed {
  readonly #key: Buffer;

  constructor(token: string, purpose: string) {
    this.#key = Buffer.from(hkdfSync("sha256", token, "", `posthorn ${purpose} v1`, KEY_BYTES));
  }

  write(value: unknown): string {
    const body = Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${body}.${this.#mac(body).toString("base64url")}`;
  }

  /** What was written; undefined when the text is not ours. */
  read(text: string): unknown {
    const [body = "", signature = ""] = text.split(".");
    const given = Buffer.from(signature, "base64url");
    if (given.length !== KEY_BYTES || !timingSafeEqual(given, this.#mac(body))) return undefined;
    return JSON.parse(Buffer.from(body, "base64url").toString());
  }

  #mac(body: string): Buffer {
    return createHmac("sha256", this.#key).update(body).digest();
  }
}
