/**
 * An answer about an address that a conversation asks for several times a mail: looked for once, until the address is
 * another one, as XCLIENT and XFORWARD make it.
 */
export class AboutAddress {
  readonly #ask: (address: string) => boolean;
  #address: string | undefined;
  #answer = false;

  constructor(ask: (address: string) => boolean) {
    this.#ask = ask;
  }

  of(address: string): boolean {
    if (address !== this.#address) {
      this.#answer = this.#ask(address);
      this.#address = address;
    }
    return this.#answer;
  }
}
