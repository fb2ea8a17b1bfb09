import type { Socket } from "node:net";

import type { ClientLimits } from "../client-limits.ts";

export interface ConnectionLimits {
  /** Of all clients together. */
  readonly maxConnections: number;
  readonly limits: ClientLimits;
  /** Clients that are not limited by address: trusted proxies, our own network. */
  readonly isKnownClient: (address: string) => boolean;
}

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Its place among those of a stranger's address. */
  readonly place: Disposable | undefined;
  /** Requests that have no whole answer yet. */
  requests: number;
}

interface Client {
  /** Those that wait for a request, the one that has waited for longest first. */
  readonly idle: Set<Connection>;
  count: number;
}

/**
 * The connections of the HTTP listener, counted by address.
 *
 * When all places are taken, the client that has most gives one up that waits for its next request, so that whoever opens
 * connections by the thousand takes them from itself. A connection whose request is being answered is never closed.
 */
export class Connections {
  readonly #options: ConnectionLimits;
  readonly #connections = new Map<Socket, Connection>();
  readonly #clients = new Map<string, Client>();

  constructor(options: ConnectionLimits) {
    this.#options = options;
  }

  /** Takes a connection in; false when there is no place for it, and none that could be made. */
  add(socket: Socket): boolean {
    const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
    const { maxConnections, limits, isKnownClient } = this.#options;
    const isLimited = !isKnownClient(address);
    const tryPlace = () => (isLimited ? limits.tryConnect(address) : undefined);
    let place = tryPlace();
    if (isLimited && place === undefined && this.#closeIdle(this.#clients.get(address))) place = tryPlace();
    if (isLimited && place === undefined) return false;
    if (this.#connections.size >= maxConnections && !this.#closeIdle(this.#largest())) {
      place?.[Symbol.dispose]();
      return false;
    }
    const client = this.#clients.get(address) ?? { idle: new Set(), count: 0 };
    const connection: Connection = { socket, address, place, requests: 0 };
    this.#clients.set(address, client);
    this.#connections.set(socket, connection);
    client.count += 1;
    client.idle.add(connection);
    socket.once("close", () => this.#remove(connection));
    return true;
  }

  /** A request came in on it. */
  begin(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.requests += 1;
    this.#clients.get(connection.address)?.idle.delete(connection);
  }

  /** A request has its answer. */
  end(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.requests -= 1;
    if (connection.requests === 0) this.#clients.get(connection.address)?.idle.add(connection);
  }

  /** The client with most connections, among those that have an idle one. */
  #largest(): Client | undefined {
    let largest: Client | undefined;
    for (const client of this.#clients.values())
      if (client.idle.size > 0 && client.count > (largest?.count ?? 0)) largest = client;
    return largest;
  }

  #closeIdle(client: Client | undefined): boolean {
    const [oldest] = client?.idle ?? [];
    if (oldest === undefined) return false;
    this.#remove(oldest);
    oldest.socket.destroy();
    return true;
  }

  #remove(connection: Connection): void {
    if (!this.#connections.delete(connection.socket)) return;
    connection.place?.[Symbol.dispose]();
    const client = this.#clients.get(connection.address);
    if (client === undefined) return;
    client.idle.delete(connection);
    client.count -= 1;
    if (client.count === 0) this.#clients.delete(connection.address);
  }
}
