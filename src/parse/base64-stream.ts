/**
 * Undoes base64 that comes in pieces, line ends and blanks in between left out. `undefined` when it is none, and for ever
 * after.
 *
 * Source: RFC 2045 §6.8.
 */
export class Base64Stream {
  #rest = "";
  #isEnded = false;

  push(bytes: Buffer): Buffer | undefined {
    const text = this.#rest + bytes.toString("latin1").replace(/[\r\n\t ]+/g, "");
    if (text === "") return Buffer.alloc(0);
    if (this.#isEnded || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const ready = text.slice(0, whole);
    // Behind its padding nothing may follow.
    this.#isEnded = ready.endsWith("=");
    return Buffer.from(ready, "base64");
  }

  /** What is left at the end, its padding forgotten; `undefined` when it stands for no whole byte. */
  end(): Buffer | undefined {
    const rest = this.#rest.replaceAll("=", "");
    return rest.length === 1 ? undefined : Buffer.from(rest, "base64");
  }
}
