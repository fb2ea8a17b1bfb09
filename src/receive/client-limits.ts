import { networkOf } from "../lib/networks.ts";
import { SlidingMinute } from "../lib/sliding-minute.ts";

export interface ClientLimitSettings {
  /** Connections of one address at once; its network may have twice as many. */
  readonly connections: number;
  /** Mails of one address in a minute; its network, and one sender's domain, may send twice as many. */
  readonly mailsPerMinute: number;
  /** Bytes of one address in a minute; its network twice as many. */
  readonly bytesPerMinute: number;
  /** Recipients nobody knows, of one address in a minute; its network twice as many. */
  readonly unknownPerMinute: number;
  /** Processes that share the load: each allows its part of what is said by the minute. */
  readonly processes: number;
}

const NETWORK_FACTOR = 2;

/**
 * What one stranger may do: an address, the network around it (/24 or /64), and the domain of a sender.
 *
 * The caller leaves out whom it trusts. Counted in this process; a limit of ten with two processes is five each.
 */
export class ClientLimits {
  readonly #settings: ClientLimitSettings;
  readonly #open = new Map<string, number>();
  readonly #minute = new SlidingMinute();

  constructor(settings: ClientLimitSettings) {
    this.#settings = settings;
  }

  /** A place for one connection; `undefined` when its address or network has too many. */
  tryConnect(address: string): Disposable | undefined {
    const most = new Map([
      [address, this.#settings.connections],
      [networkOf(address), this.#settings.connections * NETWORK_FACTOR],
    ]);
    for (const [key, limit] of most) if ((this.#open.get(key) ?? 0) >= limit) return undefined;
    for (const key of most.keys()) this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) for (const key of most.keys()) this.#leave(key);
        held = false;
      },
    };
  }

  /** Counts a mail of `address` with an envelope sender of `senderDomain` ("" for the null sender); false when it is one too many. */
  tryMail(address: string, senderDomain: string, now: number): boolean {
    const { mailsPerMinute, bytesPerMinute } = this.#settings;
    const isOverBytes = this.#scopes("bytes", address, bytesPerMinute).some(([key, limit]) =>
      this.#minute.isFull(key, limit, now),
    );
    const mails = this.#scopes("mails", address, mailsPerMinute);
    if (senderDomain !== "") mails.push([`from ${senderDomain}`, this.#share(mailsPerMinute * NETWORK_FACTOR)]);
    if (isOverBytes || mails.some(([key, limit]) => this.#minute.isFull(key, limit, now))) return false;
    for (const [key] of mails) this.#minute.add(key, 1, now);
    return true;
  }

  /** Counts the bytes of a mail that came whole; the next mail feels them. */
  countBytes(address: string, bytes: number, now: number): void {
    for (const [key] of this.#scopes("bytes", address, 0)) this.#minute.add(key, bytes, now);
  }

  /** Counts a recipient nobody knows; false when `address` or its network has asked for too many. */
  tryUnknown(address: string, now: number): boolean {
    const scopes = this.#scopes("unknown", address, this.#settings.unknownPerMinute);
    if (scopes.some(([key, limit]) => this.#minute.isFull(key, limit, now))) return false;
    for (const [key] of scopes) this.#minute.add(key, 1, now);
    return true;
  }

  #scopes(what: string, address: string, limit: number): [key: string, limit: number][] {
    return [
      [`${what} ${address}`, this.#share(limit)],
      [`${what} ${networkOf(address)}`, this.#share(limit * NETWORK_FACTOR)],
    ];
  }

  #share(limit: number): number {
    return Math.max(1, Math.floor(limit / this.#settings.processes));
  }

  #leave(key: string): void {
    const left = (this.#open.get(key) ?? 1) - 1;
    if (left > 0) this.#open.set(key, left);
    else this.#open.delete(key);
  }
}
